// Giving the account away, leaving it, deleting it: asked first, with what happens then.
import { call, readAll } from "./api.js";
import { mark, onSend } from "./forms.js";
import { word } from "./words.js";

const zone = document.getElementById("danger");
const opened = (id) => {
  const dialog = document.getElementById(id);
  dialog.querySelector("form").reset();
  dialog.showModal();
  return dialog;
};

zone.addEventListener("click", async ({ target }) => {
  const { opens } = target.closest("button")?.dataset ?? {};
  if (!opens) return;
  const dialog = opened(opens);
  const heirs = dialog.querySelector("select[name=user]");
  if (heirs) await listHeirs(heirs);
});

// Who could own the account: its other members who can log in.
async function listHeirs(select) {
  const others = (await readAll("account/team/")).filter((member) => member.is_active && String(member.id) !== select.dataset.me);
  const names = others.map((member) => new Option(`${member.first_name} ${member.last_name} · ${member.email}`.trim(), member.id));
  select.replaceChildren(new Option(word(others.length ? "choose-heir" : "no-heir"), ""), ...names);
}

function onForm(id, work) {
  const form = document.getElementById(id)?.querySelector("form");
  if (form) onSend(form, work);
}

// Where nobody is asked who they are once more, the form asks for the password.
const proof = ({ password }) => (password === undefined ? {} : { password });

onForm("transfer", async ({ values, form }) => {
  if (!values.user) return mark(form, form.elements.user, [word("choose-heir")]);
  await call("POST", "account/transfer-ownership/", { ...proof(values), user: Number(values.user) });
  location.reload();
});

onForm("leave", async () => {
  await call("DELETE", `account/team/${zone.dataset.me}/`);
  location.assign("/home");
});

// Nothing on this page is there any more: what happened is said, and closing it leads away.
function sayGoodbye(form, message) {
  const place = form.parentElement.querySelector("[data-goodbye]");
  place.querySelector("[role=status]").textContent = message;
  form.hidden = true;
  place.hidden = false;
  place.querySelector("a").focus();
  form.parentElement.addEventListener("close", () => location.assign("/"));
}

onForm("delete", async ({ values, form }) => {
  const field = form.elements.typed;
  if (values.typed.trim() !== field.dataset.expected) {
    mark(form, field, [word("typed")]);
    return field.focus();
  }
  const { message } = await call("POST", "account/delete/", proof(values));
  sayGoodbye(form, message);
});
