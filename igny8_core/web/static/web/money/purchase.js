// Orders the chosen package, then pays it in the chosen way.
import { call } from "../account/api.js";
import { keyOf, onSend } from "../account/forms.js";
import { chosenWay, pay } from "./paying.js";

const form = document.getElementById("purchase");

const chosenPackage = () => form.querySelector("[name=package]:checked");

// Gateways that cannot take the package's price are no choice.
function offerWays() {
  const refuses = chosenPackage().dataset.refuses.split(" ");
  const ways = [...form.querySelectorAll(".way")];
  for (const way of ways) way.hidden = refuses.includes(way.dataset.method);
  const open = ways.filter((way) => !way.hidden).map((way) => way.querySelector("input"));
  if (open.length && !open.some((input) => input.checked)) open[0].checked = true;
}

if (form) {
  form.addEventListener("change", ({ target }) => target.name === "package" && offerWays());
  offerWays();
  onSend(form, async () => {
    const chosen = chosenPackage();
    const { method } = chosenWay(form);
    const body = { package: chosen.value, payment_method: method, expected_price: chosen.dataset.price };
    const key = keyOf(form, { ...body, way: chosenWay(form) });
    const { data } = await call("POST", "billing/credits/purchase/", body, key);
    await pay(form, data.invoice.id, `${key}-pay`);
  });
}
