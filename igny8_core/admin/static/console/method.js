// Shows the fields of the chosen method alone: a bank's, a wallet's, or none for card and PayPal.
const PARTS = { "method-bank": ["bank_transfer", "manual"], "method-wallet": ["local_wallet", "manual"] };

addEventListener("DOMContentLoaded", () => {
  const chosen = document.querySelector("#id_payment_method");
  if (!chosen) return;
  const show = () => {
    for (const [part, methods] of Object.entries(PARTS)) {
      const fields = document.querySelector(`fieldset.${part}`);
      // What was filled in stays in view: it is saved too.
      const isFilled = [...fields.querySelectorAll("input")].some((field) => field.value);
      fields.hidden = !methods.includes(chosen.value) && !isFilled;
      fields.classList.toggle("console-hidden", fields.hidden);
    }
  };
  chosen.addEventListener("change", show);
  show();
});
