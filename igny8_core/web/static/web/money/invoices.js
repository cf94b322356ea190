// An invoice opens in a dialog over the list; without this script its link leads to its page.
import { partOf } from "./parts.js";

const dialog = document.getElementById("invoice-dialog");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-opens=invoice]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const invoice = await partOf(link.href, "invoice");
  if (!invoice) return;
  invoice.removeAttribute("data-part");
  invoice.classList.remove("card");
  dialog.querySelector("[data-place]").replaceChildren(invoice);
  dialog.showModal();
  dialog.scrollTop = 0;
});
