// Asks who it is once more, where the API wants to know: password, or a code of the second factor.
import { onSend } from "./forms.js";
import { GivenUp, send } from "./send.js";

const dialog = document.getElementById("is-it-you");
const form = dialog.querySelector("form");

onSend(form, async ({ values }) => {
  await send("POST", "auth/confirm/", values);
  dialog.close("yes");
});

// Done once the person has shown who they are. Throws GivenUp where they would rather not.
export async function confirmItIsYou() {
  form.reset();
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  if (dialog.returnValue !== "yes") throw new GivenUp();
}
