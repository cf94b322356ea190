// The page of an order: pays it, and after a return from the gateway asks what became of the payment.
import { call } from "../account/api.js";
import { say } from "../account/dialogs.js";
import { keyOf, onSend } from "../account/forms.js";
import { chosenWay, pay } from "./paying.js";
import { renew } from "./parts.js";

function listen() {
  const form = document.getElementById("pay");
  if (!form) return;
  onSend(form, () => pay(form, Number(form.dataset.invoice), keyOf(form, chosenWay(form))));
  if (form.dataset.begins) form.requestSubmit();
}

async function complete(payment) {
  try {
    await call("POST", `billing/payments/${payment}/complete/`, {});
  } catch (problem) {
    // What the gateway refused is kept with the payment, and the page says it.
    if (!problem.code) say(problem.message, "bad");
  }
  history.replaceState(null, "", location.pathname);
  await renew();
  document.getElementById("order-title").focus();
  listen();
}

const waiting = document.querySelector("[data-complete]");
if (waiting) complete(waiting.dataset.complete);
else listen();
