// Changes of the plan: shown with all figures before they are made, then made as they were shown.
import { call, Lost, Refusal } from "../account/api.js";
import { fill, say } from "../account/dialogs.js";
import { clear, keyOf, onSend, problemAbove } from "../account/forms.js";
import { language, word } from "../account/words.js";
import { locale } from "../locale.js";
import { renew } from "./parts.js";

const change = document.getElementById("change");
const ordered = document.getElementById("ordered");
const cancel = document.getElementById("cancel");
const path = "billing/subscriptions/";
let shown = null;

// As the server writes amounts: 1234.50 USD, in German 1.234,50 USD; one piece in a sentence from right to left.
function money(amount, currency) {
  const decimals = amount.split(".")[1]?.length ?? 0;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: language !== "en" };
  const text = `${new Intl.NumberFormat(locale, digits).format(amount)} ${currency}`;
  return document.dir === "rtl" ? `\u2068${text}\u2069` : text;
}

// As the server writes days: 6 December 2026.
const day = (moment) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: change.querySelector("form").dataset.timezone }).format(new Date(moment));

// Do `work`; what is refused is said at the edge of the page.
async function tried(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Refusal || problem instanceof Lost)) throw problem;
    say(problem.message, "bad");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// --- What a change costs

async function show(slug, name) {
  const { data } = await call("POST", `${path}preview/`, { plan_slug: slug });
  shown = { ...data, name };
  const isLater = data.change === "downgrade";
  fill(change, {
    title: word("change_to", { plan: name }),
    total: money(data.total, data.currency),
    begins: data.effective_at ? day(data.effective_at) : word("when_paid"),
    credits: data.credits ? new Intl.NumberFormat(locale).format(data.credits) : word("no_credits"),
    renews: data.renews_at ? day(data.renews_at) : word("after_payment"),
    renewal: money(data.renewal_amount, data.currency),
  });
  const rows = data.line_items.map((line) => row(line, data.currency));
  change.querySelector("tbody").replaceChildren(...rows);
  change.querySelector("[data-lines]").hidden = rows.length === 0;
  tellLimits(data.over_limits, isLater);
  const agree = change.querySelector("[data-agree]");
  agree.textContent = isLater ? word("agree_later", { day: day(data.effective_at) }) : agreeText(data);
  agree.hidden = data.over_limits.length > 0 && !isLater;
}

const agreeText = ({ total, currency }) =>
  Number(total) === 0 ? word("agree_now") : word("agree_pay", { total: money(total, currency) });

function row(line, currency) {
  const made = document.createElement("tr");
  const [what, amount] = [document.createElement("td"), document.createElement("td")];
  what.textContent = line.quantity === 1 ? line.description : `${line.quantity} × ${line.description}`;
  amount.textContent = money(line.amount, currency);
  amount.className = "number";
  made.append(what, amount);
  return made;
}

function tellLimits(limits, isLater) {
  const place = change.querySelector("[data-over]");
  place.hidden = limits.length === 0;
  const texts = limits.map(({ limit, used, allowed }) => word(`over_${limit}`, { used, allowed }));
  place.textContent = [...texts, word(isLater ? "over_later" : "over_now")].join(" ");
}

// --- The change itself

async function make(form) {
  const { plan, total, renewal_amount: renewal, quote_token: token } = shown;
  const body = { plan_slug: plan, expected_total: total, expected_renewal_amount: renewal, quote_token: token };
  let answer;
  try {
    answer = await call("POST", `${path}${shown.change}/`, body, keyOf(form, body));
  } catch (problem) {
    if (problem.code !== "price_moved") throw problem;
    // Somebody changed the price meanwhile: both figures, and the question anew.
    await show(shown.plan, shown.name);
    problemAbove(form, Object.values(problem.errors).flat());
    return;
  }
  change.close("yes");
  const invoice = shown.change === "upgrade" && answer.data.invoice;
  if (!invoice) say(word(shown.change === "upgrade" ? "changed" : "scheduled"));
  await renew();
  // After the page is drawn anew, so that who closes this goes on at something that is still there.
  if (invoice) tellOrder(invoice);
}

function tellOrder(invoice) {
  fill(ordered, { number: invoice.invoice_number, total: money(invoice.total, invoice.currency) });
  ordered.querySelector("[data-pay]").href = `/account/invoices/${invoice.id}/pay`;
  ordered.showModal();
}

async function end(form, when) {
  const body = { at_period_end: when === "later" };
  await call("POST", `${path}cancel/`, body, keyOf(form, body));
  cancel.close("yes");
  say(word("canceled"));
  await renew();
}

function askToCancel(button) {
  const form = cancel.querySelector("form");
  form.reset();
  clear(form);
  const runs = ["runs", "shrinks"].includes(button.dataset.cancel);
  for (const part of form.querySelectorAll("[data-if]")) part.hidden = (part.dataset.if === "runs") !== runs;
  fill(cancel, { day: button.dataset.day });
  cancel.showModal();
}

if (change) {
  onSend(change.querySelector("form"), ({ form }) => make(form));
  onSend(cancel.querySelector("form"), ({ form, values }) =>
    end(form, cancel.querySelector("fieldset").hidden ? "now" : values.when),
  );
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (!button) return;
    if (button.dataset.preview) {
      tried(button, async () => {
        await show(button.dataset.preview, button.dataset.plan);
        clear(change.querySelector("form"));
        change.showModal();
      });
    }
    if (button.dataset.cancel) askToCancel(button);
    if (button.dataset.undo) {
      tried(button, async () => {
        await call("POST", `${path}reactivate/`, {}, crypto.randomUUID());
        say(word("kept"));
        await renew();
      });
    }
  });
}
