// Saved ways of paying: added, made the default, removed.
import { call, Lost, Refusal } from "../account/api.js";
import { fill, say } from "../account/dialogs.js";
import { clear, onSend, problemAbove } from "../account/forms.js";
import { word } from "../account/words.js";
import { cardForm, toStandIn } from "./card_form.js";
import { renew } from "./parts.js";

const adding = document.getElementById("add-method");
const removing = document.getElementById("remove-method");
const path = "billing/payment-methods/";
let setup = null;
let removed = 0;

async function add(form, { type }) {
  if (type !== form.dataset.card) return saved({ type });
  const back = `${location.origin}${location.pathname}`;
  if (setup) {
    const { error } = await setup.card.save(back);
    if (error) return problemAbove(form, [error.message ?? word("no_form")]);
    return saved({ type, setup: setup.id });
  }
  const { data } = await call("POST", `${path}setup/`, {});
  if (form.dataset.standIn) return toStandIn(form.dataset.standIn, data.client_secret, back);
  try {
    const facts = { script: form.dataset.stripe, publicKey: data.public_key, clientSecret: data.client_secret };
    setup = { id: data.setup, card: await cardForm(form.querySelector("[data-card-fields]"), facts) };
    problemAbove(form, [word("enter_card")]);
  } catch {
    problemAbove(form, [word("no_form")]);
  }
}

async function saved(method) {
  await call("POST", `${path}add/`, method);
  setup = null;
  if (adding.open) adding.close("yes");
  await renew();
  say(word("method_added"));
}

// Back from the page where the card was entered.
async function finish(id) {
  history.replaceState(null, "", `${location.pathname}#methods`);
  try {
    await saved({ type: adding.querySelector("form").dataset.card, setup: id });
  } catch (problem) {
    if (!(problem instanceof Refusal || problem instanceof Lost)) throw problem;
    say(problem.message, "bad");
  }
}

async function makeDefault(button) {
  button.disabled = true;
  try {
    await call("POST", `${path}${button.dataset.default}/default/`, {});
    await renew();
    say(word("method_default"));
  } catch (problem) {
    if (!(problem instanceof Refusal || problem instanceof Lost)) throw problem;
    say(problem.message, "bad");
    button.disabled = false;
  }
}

if (adding) {
  onSend(adding.querySelector("form"), ({ form, values }) => add(form, values));
  onSend(removing.querySelector("form"), async () => {
    await call("DELETE", `${path}${removed}/`);
    removing.close("yes");
    await renew();
    say(word("method_removed"));
  });
  adding.addEventListener("close", () => {
    setup = null;
    adding.querySelector("[data-card-fields]").hidden = true;
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (!button) return;
    if ("add" in button.dataset) {
      clear(adding.querySelector("form"));
      adding.showModal();
    }
    if (button.dataset.remove) {
      removed = Number(button.dataset.remove);
      clear(removing.querySelector("form"));
      fill(removing, { name: button.dataset.name });
      removing.showModal();
    }
    if (button.dataset.default) makeDefault(button);
  });
  const entered = new URLSearchParams(location.search).get("setup_intent");
  if (entered) finish(entered);
}
