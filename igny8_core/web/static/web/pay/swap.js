// Puts the page as the server has it now in the place of the one that is shown.
export function swap(fresh) {
  const old = document.getElementById("pay");
  const now = fresh.getElementById("pay");
  if (!now) return null;
  document.title = fresh.title;
  old.replaceWith(now);
  const outcome = now.querySelector("[role='alert']:not([hidden]), [role='status']");
  document.getElementById("news").textContent = outcome ? outcome.textContent.replace(/\s+/g, " ").trim() : "";
  return now;
}

// Whether something was typed that a swap would take away.
export function isBeingFilledIn() {
  const form = document.getElementById("transfer");
  if (!form) return false;
  const isTyped = (field) => !["hidden", "radio"].includes(field.type) && field.value !== field.defaultValue;
  const fields = [...form.querySelectorAll("input, textarea")];
  return "sending" in form.dataset || fields.some((field) => (field.type === "file" ? field.files.length > 0 : isTyped(field)));
}
