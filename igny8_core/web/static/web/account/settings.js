// The settings of an account: saved field by field, without overwriting what others changed meanwhile.
import { call, GivenUp, read } from "./api.js";
import { ask, reloadSaying, say } from "./dialogs.js";
import { onSend } from "./forms.js";
import { word } from "./words.js";
import { dayAndTime, locale } from "../locale.js";

const page = document.getElementById("settings");
const forms = [...page.querySelectorAll("form[data-settings]")];
const dialog = document.getElementById("changed-meanwhile");
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden");
// What is stored, as far as this page knows. Browsers put back what was typed before a reload, which is not stored.
for (const form of forms) form.reset();
let stored = Object.fromEntries(forms.flatMap(fieldsOf).map((field) => [field.name, field.value]));
stored.version = page.dataset.version;

// Take over what is stored now. What somebody is still typing stays, unless it was `saved` just now.
function follow(now, saved = {}) {
  for (const field of forms.flatMap(fieldsOf)) {
    if (field.value === stored[field.name] || field.name in saved) field.value = now[field.name];
  }
  stored = now;
  document.getElementById("unconfirmed").hidden = !now.billing_email || now.billing_email_confirmed;
}

async function save(form) {
  const changed = fieldsOf(form).filter((field) => field.value !== stored[field.name]);
  if (!changed.length) return say(word("same"));
  const changes = Object.fromEntries(changed.map((field) => [field.name, field.value]));
  try {
    const { data } = await call("PATCH", "account/settings/", { ...changes, version: stored.version });
    follow(data, changes);
    if ("language" in changes && showsAnother()) return reloadSaying("saved");
    say(word("saved"));
  } catch (problem) {
    if (problem.code !== "settings_changed") throw problem;
    await settle(form, changed);
  }
}

// Whether the page is in the account's language, which is another one now; what is typed elsewhere is not lost for it.
const showsAnother = () => !page.dataset.ownLanguage && forms.flatMap(fieldsOf).every((field) => field.value === stored[field.name]);

// Others saved meanwhile. Fields that they left alone are saved; of those that both changed, both versions are shown.
async function settle(form, changed) {
  const { data: theirs } = await read("account/settings/");
  const both = changed.filter((field) => theirs[field.name] !== stored[field.name]);
  const answer = both.length ? await ask(withDifferences(both, theirs), { who: await lastChange() }) : "mine";
  if (!answer) throw new GivenUp();
  if (answer === "theirs") for (const field of both) field.value = theirs[field.name];
  follow(theirs);
  return save(form);
}

function withDifferences(fields, theirs) {
  const row = document.getElementById("difference");
  const rows = fields.map((field) => {
    const copy = row.content.cloneNode(true);
    const texts = [field.labels[0].firstChild.textContent.trim(), named(field, field.value), named(field, theirs[field.name])];
    for (const [at, place] of [...copy.querySelectorAll("bdi")].entries()) place.textContent = texts[at] || word("nothing");
    return copy;
  });
  dialog.querySelector("tbody").replaceChildren(...rows);
  return dialog;
}

const named = (field, value) => [...(field.options ?? [])].find((each) => each.value === value)?.textContent.trim() ?? value;

async function lastChange() {
  const { data } = await read("account/activity/?type=account.updated&page_size=1");
  const when = data[0] && new Date(data[0].created_at).toLocaleString(locale, dayAndTime);
  return data[0]?.actor ? word("who", { who: data[0].actor, when }) : word("somebody");
}

for (const form of forms) onSend(form, () => save(form));
