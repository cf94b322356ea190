// Forms that are sent by a script: sent once, busy meanwhile, and what was refused stands at its field.
import { GivenUp, Lost, Refusal } from "./send.js";
import { word } from "./words.js";

const keys = new WeakMap();

// What is in the fields, by name; boxes to tick that share a name (data-list) are a list of numbers.
export function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    if ("list" in field.dataset) values[field.name] = [...(values[field.name] ?? []), ...(field.checked ? [Number(field.value)] : [])];
    else values[field.name] = field.type === "checkbox" ? field.checked : field.value;
  }
  delete values.csrfmiddlewaretoken;
  return values;
}

// The Idempotency-Key of what a form sends: the same one while it sends the same again, another for another deed.
export function keyOf(form, body) {
  const sent = JSON.stringify(body);
  if (keys.get(form)?.sent !== sent) keys.set(form, { sent, key: crypto.randomUUID() });
  return keys.get(form).key;
}

export const forgetKey = (form) => keys.delete(form);

// Have `work({ values, form, button })` do what the form is for. It may throw what api.js throws. A button that the page
// has switched off is switched on: before this, the browser would send the form by itself, and nothing would come of it.
export function onSend(form, work) {
  form.noValidate = true;
  busy(form, false);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    clear(form);
    const wasAt = document.activeElement;
    busy(form, true);
    try {
      await work({ values: valuesOf(form), form, button: event.submitter });
      forgetKey(form);
    } catch (problem) {
      refuse(form, problem);
    } finally {
      busy(form, false);
      // A button that is switched off lets the keyboard go: who pressed it goes on at it.
      if (document.activeElement === document.body && form.contains(wasAt)) wasAt.focus();
    }
  });
}

function busy(form, isBusy) {
  form.setAttribute("aria-busy", String(isBusy));
  for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = isBusy;
}

export function clear(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  for (const text of form.querySelectorAll("p.error")) text.remove();
  const place = form.querySelector("[data-problem]");
  place.hidden = true;
  place.replaceChildren();
}

// Say what was refused: at the fields that it names, and above the form.
export function refuse(form, problem) {
  if (problem instanceof GivenUp) return;
  if (!(problem instanceof Refusal || problem instanceof Lost)) throw problem;
  const others = [];
  for (const [name, texts] of Object.entries(problem.errors ?? {})) {
    const field = fieldOf(form, name);
    if (field) mark(form, field, texts);
    else others.push(...texts);
  }
  const wrong = form.querySelector("[aria-invalid]");
  problemAbove(form, others.length ? others : [wrong ? word("check") : problem.message]);
  if (wrong) wrong.focus();
}

const fieldOf = (form, name) => {
  const found = form.elements.namedItem(name);
  return found instanceof RadioNodeList ? found[0] : found;
};

export function mark(form, field, texts) {
  const text = document.createElement("p");
  text.className = "error";
  text.id = `${field.id || field.name}-error`;
  text.textContent = texts.join(" ");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", text.id);
  field.closest(".field, fieldset").append(text);
}

export function problemAbove(form, texts) {
  const place = form.querySelector("[data-problem]");
  place.replaceChildren(...texts.map((each) => Object.assign(document.createElement("p"), { textContent: each })));
  place.hidden = false;
}
