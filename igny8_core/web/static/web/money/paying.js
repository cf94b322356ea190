// Pays an invoice in the way that was chosen, and leads to the page of its order.
import { call, Refusal } from "../account/api.js";
import { problemAbove } from "../account/forms.js";
import { word } from "../account/words.js";
import { cardForm, left, toStandIn } from "./card_form.js";

const GATEWAYS = ["stripe", "paypal"];
let opened = null;

export function chosenWay(form) {
  const input = form.elements.namedItem("way");
  const chosen = input instanceof RadioNodeList ? [...input].find((each) => each.checked) : input;
  return { method: chosen.value, saved: chosen.dataset.saved };
}

function leave(address) {
  location.assign(address);
  return left();
}

// `key`: one click pays once. Ends on another page, or says above the form what is left to do.
export async function pay(form, invoice, key) {
  const { method, saved } = chosenWay(form);
  const order = `${form.dataset.orders}/${invoice}`;
  const back = `${location.origin}${order}`;
  if (!GATEWAYS.includes(method)) return leave(`${form.dataset.invoices}/${invoice}/pay`);
  if (opened?.invoice === invoice && method === form.dataset.card && !saved) return confirm(form, back);
  const body = { return_url: back, ...(saved ? { saved_method: Number(saved) } : { payment_method: method }) };
  const attempt = await begun(invoice, body, key, order);
  if (attempt.next_step === "approve") return leave(attempt.approve_url);
  if (!["enter_card", "authenticate"].includes(attempt.next_step)) return leave(order);
  if (form.dataset.standIn) return toStandIn(form.dataset.standIn, attempt.client_secret, back);
  // The order's page has the form; the page of the packages leads there.
  const place = form.querySelector("[data-card-fields]");
  if (!place) return leave(`${order}?pay=${method}`);
  await open(form, place, invoice, attempt);
}

async function begun(invoice, body, key, order) {
  try {
    return (await call("POST", `billing/invoices/${invoice}/pay/`, body, key)).data.attempt;
  } catch (problem) {
    // A card that was declined: the order's page says why, and has the other ways.
    if (problem instanceof Refusal && problem.status === 402 && location.pathname !== order) return leave(order);
    throw problem;
  }
}

async function open(form, place, invoice, attempt) {
  const facts = { script: form.dataset.stripe, publicKey: attempt.public_key, clientSecret: attempt.client_secret };
  try {
    opened = { invoice, card: await cardForm(place, facts) };
    problemAbove(form, [word("enter_card")]);
  } catch {
    problemAbove(form, [word("no_form")]);
  }
}

async function confirm(form, back) {
  // Where all is well, the browser leaves for the return address and nothing below is reached.
  const { error } = await opened.card.pay(back);
  problemAbove(form, [error.message ?? word("no_form")]);
}
