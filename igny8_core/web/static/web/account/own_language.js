// The language in which somebody reads pages and mails; the page is shown in it at once.
import { call } from "./api.js";
import { reloadSaying } from "./dialogs.js";
import { onSend } from "./forms.js";

const form = document.getElementById("own-language");
// Browsers put back what was chosen before a reload, which is not stored.
form.reset();

onSend(form, async ({ values: { language } }) => {
  await call("PATCH", "auth/me/", { language });
  reloadSaying("saved");
});
