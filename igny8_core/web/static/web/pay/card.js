// Stripe's form for a card. What it needs from us is in the form's data attributes.
const form = document.getElementById("card");
const button = document.getElementById("card-button");
const problem = document.getElementById("card-problem");

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

function start() {
  const stripe = window.Stripe(form.dataset.publicKey);
  const isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const elements = stripe.elements({
    clientSecret: form.dataset.clientSecret,
    appearance: { theme: isDark ? "night" : "stripe" },
  });
  const fields = elements.create("payment");
  fields.on("ready", () => (button.disabled = false));
  fields.on("loaderror", () => tell(form.dataset.noForm));
  fields.mount("#card-fields");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    tell("");
    const confirmParams = { return_url: form.dataset.returnUrl };
    // Where all is well, the browser leaves for the return address and nothing below is reached.
    const { error } = await stripe.confirmPayment({ elements, confirmParams });
    tell(error.message ?? form.dataset.refused);
    button.disabled = false;
  });
}

if (window.Stripe) {
  start();
} else {
  tell(form.dataset.noStripe);
}
