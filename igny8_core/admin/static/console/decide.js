// Rows can be unticked before the decision; the count and the sums follow. Rows of other pages are counted as they are.
const form = document.querySelector("[data-decide]");
const boxes = [...document.querySelectorAll("input[name=ticked]")];
const sums = document.querySelector("[data-sums]");
const note = form.querySelector("[data-left-out]");
const button = form.querySelector("button[type=submit]");
const verb = button.textContent.trim();
const title = sums.previousSibling;
const question = title.textContent;
const all = Number(sums.dataset.count);
const elsewhere = Number(sums.dataset.elsewhere);
const total = new Map(sums.dataset.sums.split(", ").filter(Boolean).map((text) => {
  const [amount, currency] = text.trim().split(" ");
  return [currency, amount];
}));

// Money is counted in whole units of its last decimal.
const decimals = (amount) => (amount.split(".")[1] ?? "").length;
const whole = (amount) => BigInt(amount.replace(".", ""));

function written(units, places) {
  const digits = units.toString().padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}

function follow() {
  const left = boxes.filter((box) => !box.checked);
  const told = [...total].map(([currency, amount]) => {
    const of = left.filter((box) => box.dataset.currency === currency);
    const rest = of.reduce((sum, box) => sum - whole(box.dataset.amount), whole(amount));
    return `${written(rest, decimals(amount))} ${currency}`;
  });
  sums.textContent = told.join(", ");
  button.textContent = verb.replace(/\d+/, all - left.length);
  title.textContent = question.replace(/\d+/, all - left.length);
  button.disabled = left.length === all;
  const out = left.length + elsewhere;
  note.textContent = out ? `${out} ${note.dataset.leftOut}` : "";
}

boxes.forEach((box) => box.addEventListener("change", follow));
form.addEventListener("submit", () => setTimeout(() => (button.disabled = true)));
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
follow();
