// Shows the fields of the chosen method alone: a bank's, a wallet's, or none for card and PayPal.
// The server has hidden what the saved method does not have, and marks each part with the methods that do.
addEventListener("DOMContentLoaded", () => {
  const chosen = document.querySelector("#id_payment_method");
  if (!chosen) return;
  const show = () => {
    for (const fields of document.querySelectorAll("fieldset.method-part")) {
      // What was filled in stays in view: it is saved too.
      const isFilled = [...fields.querySelectorAll("input")].some((field) => field.value);
      fields.hidden = !fields.classList.contains(`for-${chosen.value}`) && !isFilled;
      fields.classList.toggle("console-hidden", fields.hidden);
    }
  };
  chosen.addEventListener("change", show);
  show();
});
