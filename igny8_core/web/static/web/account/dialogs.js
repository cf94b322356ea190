// Native dialogs: questions, and forms in them. Escape and [data-close] leave everything as it is.

import { word } from "./words.js";

// Open `dialog` with texts put where [data-text="name"] stands; the answer is the value of the button, or "".
export async function ask(dialog, texts = {}) {
  fill(dialog, texts);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue;
}

export function fill(dialog, texts) {
  for (const [name, text] of Object.entries(texts)) {
    for (const place of dialog.querySelectorAll(`[data-text="${name}"]`)) place.textContent = text;
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("dialog button[data-close], dialog button[data-answer]");
  if (button) button.closest("dialog").close(button.dataset.answer ?? "");
});

const toast = document.getElementById("toast");

// Say what was done. It stays until the next thing is said, or it is closed.
export function say(text, kind = "good") {
  toast.className = `toast ${kind}`;
  toast.hidden = false;
  toast.querySelector("[role=status]").textContent = text;
}

toast.querySelector("[data-hide]").addEventListener("click", () => (toast.hidden = true));

// Read the page anew, and then say the text `name` in the language that the page has by then.
export function reloadSaying(name) {
  sessionStorage.setItem("say", name);
  location.reload();
}

// Said when all scripts of the page have run: then its forms are as they are stored, and can be filled in.
document.addEventListener("DOMContentLoaded", () => {
  const waiting = sessionStorage.getItem("say");
  if (!waiting) return;
  sessionStorage.removeItem("say");
  say(word(waiting));
});
