// Says what the chosen operation will cost before it is spent.
import { locale } from "../locale.js";

const number = new Intl.NumberFormat(locale);

function tell() {
  // Looked up each time: the page renews its parts when a payment has arrived.
  const form = document.getElementById("meter");
  const cost = document.getElementById("cost");
  if (!form) return;
  const quantity = Number(form.elements.quantity.value);
  const each = Number(form.elements.operation.selectedOptions[0].dataset.credits);
  const balance = Number(cost.dataset.balance);
  cost.hidden = !Number.isInteger(quantity) || quantity < 1;
  const text = quantity * each > balance ? form.dataset.short : form.dataset.cost;
  cost.textContent = text.replace("%1", number.format(quantity * each)).replace("%2", number.format(balance));
}

document.addEventListener("input", ({ target }) => {
  if (target.closest("#meter")) tell();
});
// Sent twice, it would count once (the form has a key), but the page would jump.
document.addEventListener("submit", (event) => {
  if (event.target.id !== "meter") return;
  if (event.target.hasAttribute("data-sent")) event.preventDefault();
  event.target.setAttribute("data-sent", "");
});
window.addEventListener("pageshow", () => document.getElementById("meter")?.removeAttribute("data-sent"));
tell();
