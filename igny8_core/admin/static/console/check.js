// Payments are checked by keys: A, R, J, K and ?. What a key does, a button or a link of the page does too.
const page = document.querySelector("[data-check]");
const dialog = (name) => document.getElementById(name);
const open = () => document.querySelector("dialog[open]");
const isTyped = (element) =>
  element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox])");

function show(name) {
  dialog(name)?.showModal();
}

function press(key) {
  if (key === "a") return show("approve");
  if (key === "r") return show("reject");
  if (key === "?") return show("keys");
  page.querySelector(`[data-key="${CSS.escape(key)}"]`)?.click();
}

// In the dialog to reject, a digit chooses the sentence of that number.
function choose(key) {
  const choices = [...open().querySelectorAll("input[type=radio]")];
  const chosen = choices[Number(key) - 1];
  if (!chosen) return;
  chosen.checked = true;
  const words = open().querySelector("textarea[name=reason]");
  // The last one has no sentence of its own.
  (chosen === choices.at(-1) ? words : chosen).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyped(event.target)) return;
  const before = open();
  if (before && /^[1-9]$/.test(event.key)) choose(event.key);
  if (before || event.repeat) return;
  press(event.key.toLowerCase());
  // The letter that opened a dialog must not be typed into it.
  if (open()) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens-dialog]");
  if (opener) show(opener.dataset.opensDialog);
  if (event.target.closest("[data-closes]")) open()?.close();
});

// A second Enter on a slow line decides nothing twice.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button[type=submit]")) button.disabled = true;
});
// The page may come back from the browser's memory, with buttons that were pressed.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

if (page.dataset.opens) show(page.dataset.opens);
page.querySelector("[data-first]")?.focus();
// Keys are shown from now on, because they work from now on.
page.dataset.ready = "";
