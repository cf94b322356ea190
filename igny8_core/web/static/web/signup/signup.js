// Comfort for signing up and ordering: everything here also works without, by sending the form.
const form = document.getElementById("signup");
const words = document.getElementById("words");

const chosenPlan = () => form.querySelector("[name=plan_slug]:checked");
const country = () => form.elements.billing_country.value;
const textOf = (method) => [...words.content.children].find((each) => each.dataset.method === method)?.textContent;

// --- The plan: its summary, and the ways to pay that can take its price

function showPlan() {
  const slug = chosenPlan().value;
  form.elements.shown_plan.value = slug;
  for (const each of form.querySelectorAll(".summary")) each.hidden = each.dataset.plan !== slug;
}

// --- The country: what the API says can be paid with there

const ways = document.getElementById("ways");
const known = new Map();
let asked = "";

async function showWays() {
  const code = (asked = country());
  if (!code) return say("choose");
  if (!known.has(code)) {
    say("loading");
    try {
      const answer = await fetch(`${ways.dataset.methods}?country=${encodeURIComponent(code)}`);
      if (!answer.ok) throw new Error(answer.status);
      known.set(code, await answer.json());
    } catch {
      if (code === asked) say("failed");
      return;
    }
  }
  // Another country was chosen meanwhile; its own answer is on the way.
  if (code === asked) list(known.get(code));
}

function list(methods) {
  const refused = chosenPlan().dataset.refuses.split(" ");
  const wanted = form.querySelector("[name=payment_method]:checked")?.value ?? list.wanted;
  const offered = methods.filter((each) => each.is_available && !refused.includes(each.payment_method));
  if (offered.length === 0) return say("noWays");
  const chosen = offered.some((each) => each.payment_method === wanted) ? wanted : offered[0].payment_method;
  ways.replaceChildren(...offered.map((each) => row(each, each.payment_method === chosen)));
  list.wanted = chosen;
  showButton(false);
}

function row(method, isChosen) {
  const label = document.getElementById("way").content.firstElementChild.cloneNode(true);
  const input = label.querySelector("input");
  input.value = method.payment_method;
  input.checked = isChosen;
  label.querySelector("bdi").textContent = method.display_name;
  label.querySelector(".small-print").textContent = textOf(method.payment_method) ?? textOf("");
  return label;
}

function say(what) {
  const text = document.createElement("p");
  text.className = "quiet";
  text.textContent = words.dataset[what];
  ways.replaceChildren(text);
  showButton(what === "failed");
}

// The button is for browsers without this script, and for when the API cannot be reached.
function showButton(isNeeded) {
  document.getElementById("show-ways").hidden = !isNeeded;
}

form.addEventListener("change", ({ target }) => {
  if (target.name === "plan_slug") showPlan();
  if (target.name === "plan_slug" || target.name === "billing_country") showWays();
});

// --- The password: seen by who wants to see it

function addEye() {
  const field = form.elements.password;
  const eye = document.createElement("button");
  eye.type = "button";
  eye.className = "eye link";
  const name = (isShown) => {
    eye.textContent = isShown ? words.dataset.hide : words.dataset.show;
    eye.setAttribute("aria-label", `${eye.textContent} ${words.dataset.password}`);
    field.type = isShown ? "text" : "password";
  };
  eye.addEventListener("click", () => name(field.type === "password"));
  name(false);
  const around = document.createElement("div");
  around.className = "with-eye";
  field.replaceWith(around);
  around.append(field, eye);
  form.addEventListener("submit", () => name(false));
}

// --- Sending: once, and only where there is a network

const buttons = [...form.querySelectorAll("[data-send]")];

function setSending(isSending) {
  form.toggleAttribute("data-sending-now", isSending);
  for (const button of buttons) {
    button.dataset.text ??= button.textContent;
    button.textContent = isSending ? words.dataset.sending : button.dataset.text;
    button.setAttribute("aria-disabled", String(isSending));
  }
}

form.addEventListener("submit", (event) => {
  if (form.hasAttribute("data-sending-now")) return event.preventDefault();
  const trouble = document.getElementById("trouble");
  trouble.hidden = navigator.onLine;
  if (!navigator.onLine) {
    event.preventDefault();
    trouble.textContent = words.dataset.offline;
    trouble.scrollIntoView({ block: "center" });
    return;
  }
  setSending(true);
});

// Back from the next page, with this one as it was left.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) setSending(false);
});

// --- When the page is shown

if (form.elements.password) addEye();
showPlan();
if (country() || ways.querySelector("label") === null) showWays();
else showButton(false);
// After a refusal, where the first thing to do is.
form.querySelector("[aria-invalid=true], .wrong input")?.focus();
