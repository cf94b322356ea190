// The page of an order: pays it, and after a return from the gateway asks what became of the payment.
import { call } from "../account/api.js";
import { say } from "../account/dialogs.js";
import { keyOf, onSend, problemAbove } from "../account/forms.js";
import { word } from "../account/words.js";
import { chosenWay, pay } from "./paying.js";
import { renew } from "./parts.js";

function listen() {
  const form = document.getElementById("pay");
  if (!form) return;
  onSend(form, () => pay(form, Number(form.dataset.invoice), keyOf(form, chosenWay(form))));
  if (form.dataset.begins) form.requestSubmit();
}

async function complete(payment) {
  let isKnown = true;
  try {
    await call("POST", `billing/payments/${payment}/complete/`, {});
  } catch (problem) {
    // What the gateway refused is kept with the payment, and the page says it.
    if (!problem.code) say(problem.message, "bad");
    isKnown = false;
  }
  history.replaceState(null, "", location.pathname);
  await renew();
  document.getElementById("order-title").focus();
  listen();
  if (isKnown) tellIfLeft();
}

// Who left the gateway's page without paying sees the same form again: it says why.
function tellIfLeft() {
  const form = document.getElementById("pay");
  if (form?.querySelector("[data-problem]").hidden) problemAbove(form, [word("came_back")]);
}

const waiting = document.querySelector("[data-complete]");
if (waiting) complete(waiting.dataset.complete);
else listen();
