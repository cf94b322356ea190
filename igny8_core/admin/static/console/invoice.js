// Sums while one types, in the currency's smallest units. What counts is what the server adds up.
const form = document.querySelector("[data-invoice]");
const decimals = Number(form.dataset.decimals);
const amountOf = new RegExp(decimals ? `^(\\d{1,10})(?:\\.(\\d{1,${decimals}}))?$` : "^(\\d{1,10})$");

function units(text) {
  const found = amountOf.exec(text);
  return found && BigInt(found[1] + (found[2] ?? "").padEnd(decimals, "0"));
}

function written(sum) {
  const digits = String(sum).padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  return `${digits.slice(0, cut)}${decimals ? `.${digits.slice(cut)}` : ""} ${form.dataset.currency}`;
}

function sumOf(line) {
  const [quantity, amount] = ["quantity", "amount"].map((name) => line.querySelector(`[name=${name}]`));
  const typed = amount.value.trim();
  const price = typed ? units(typed) : null;
  const isCounted = /^[1-9]\d{0,6}$/.test(quantity.value.trim());
  amount.setAttribute("aria-invalid", Boolean(typed) && price === null);
  quantity.setAttribute("aria-invalid", Boolean(typed) && !isCounted);
  const sum = price !== null && isCounted ? price * BigInt(quantity.value.trim()) : null;
  line.querySelector("[data-sum]").textContent = sum === null ? "" : written(sum);
  return sum;
}

function count() {
  const sums = [...form.querySelectorAll("[data-line]")].map(sumOf).filter((sum) => sum !== null);
  form.querySelector("[data-total]").textContent = written(sums.reduce((total, sum) => total + sum, 0n));
  form.querySelector("[data-wrong]").hidden = !form.querySelector("[aria-invalid=true]");
}

const more = form.querySelector("[data-more]");
more.hidden = false;
more.addEventListener("click", () => {
  const last = [...form.querySelectorAll("[data-line]")].at(-1);
  const line = last.cloneNode(true);
  for (const field of line.querySelectorAll("input")) field.value = field.name === "quantity" ? "1" : "";
  last.after(line);
  count();
  line.querySelector("input").focus();
});
form.addEventListener("input", count);
form.addEventListener("submit", () => (form.querySelector("button[type=submit]").disabled = true));
addEventListener("pageshow", () => (form.querySelector("button[type=submit]").disabled = false));
count();
// The theme moves the focus about while the page is loaded.
form.querySelector("[autofocus]").focus();
