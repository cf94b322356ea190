// The team: its members and their roles, invitations that wait, and inviting.
import { call, readAll } from "./api.js";
import { ask, fill, say } from "./dialogs.js";
import { clear, onSend } from "./forms.js";
import { drawn, load } from "./states.js";
import { word } from "./words.js";
import { locale } from "../locale.js";

const members = document.getElementById("members");
const invitations = document.getElementById("invitations");
const roleDialog = document.getElementById("change-role");
const sitesDialog = document.getElementById("open-sites");
const inviteDialog = document.getElementById("invite");
const { me, role: myRole } = members.dataset;
const isManager = Boolean(invitations);
const day = (text) => new Date(text).toLocaleDateString(locale, { dateStyle: "medium" });
const roleName = (role) => word(`role-${role}`);
const nameOf = (person) => `${person.first_name} ${person.last_name}`.trim() || person.email;
const found = new Map();

async function listMembers() {
  const data = await readAll("account/team/");
  members.querySelector("tbody").replaceChildren(...data.map(memberRow));
  return data.length;
}

function memberRow(member) {
  found.set(String(member.id), member);
  const copy = drawn(document.getElementById("member"), { name: nameOf(member), email: member.email, role: roleName(member.role) });
  const isMe = String(member.id) === me;
  copy.querySelector("[data-me]").hidden = !isMe;
  copy.querySelector("[data-active]").hidden = !member.is_active;
  copy.querySelector("[data-inactive]").hidden = member.is_active;
  // What the role may not do is not shown; the API refuses it all the same.
  const mayChange = isManager && !isMe && (member.role !== "owner" || myRole === "owner");
  for (const button of copy.querySelectorAll("button")) [button.hidden, button.dataset.member] = [!mayChange, member.id];
  const sites = copy.querySelector("[data-do=sites]");
  if (sites) sites.hidden ||= !sitesDialog.dataset.roles.split(" ").includes(member.role);
  return copy;
}

async function listInvitations() {
  const lists = await Promise.all(["open", "expired"].map((status) => readAll(`account/team/invitations/?status=${status}`)));
  const waiting = lists.flat();
  invitations.querySelector("tbody").replaceChildren(...waiting.map(invitationRow));
  return waiting.length;
}

function invitationRow(invitation) {
  found.set(`i${invitation.id}`, invitation);
  const texts = { email: invitation.email, role: roleName(invitation.role), until: day(invitation.expires_at) };
  const copy = drawn(document.getElementById("invitation"), texts);
  copy.querySelector("[data-expired]").hidden = invitation.status !== "expired";
  for (const button of copy.querySelectorAll("button")) button.dataset.invitation = invitation.id;
  return copy;
}

const reload = () => Promise.all([load(members, listMembers), isManager && load(invitations, listInvitations)]);

// --- Changing a role: refused where somebody else gave another one meanwhile, and then both are said

let chosen = null;

function openRole(member) {
  chosen = member;
  fill(roleDialog, { name: nameOf(member) });
  const form = roleDialog.querySelector("form");
  form.reset();
  clear(form);
  for (const radio of form.elements.role) radio.checked = radio.value === member.role;
  roleDialog.showModal();
}

async function giveRole({ values, form }) {
  try {
    const { data } = await call("PATCH", `account/team/${chosen.id}/role/`, { role: values.role, present_role: chosen.role });
    roleDialog.close();
    say(word("role-given", { name: nameOf(data), role: roleName(data.role) }));
  } catch (problem) {
    if (problem.code !== "role_changed") throw gone(problem);
    const now = (await readAll("account/team/")).find(({ id }) => id === chosen.id);
    problem.message = word("role-changed", { name: nameOf(now), now: roleName(now.role), yours: roleName(values.role) });
    chosen = now;
    throw problem;
  } finally {
    const { id } = chosen;
    reload().then(() => roleDialog.open || members.querySelector(`[data-do=role][data-member="${id}"]`)?.focus());
  }
}

// --- Opening sites to a member and closing them: only what is ticked otherwise is sent, so that what others change stays

let opened = [];

async function openSites(member) {
  try {
    opened = (await readAll(`sites/?open_to=${member.id}`)).map((site) => site.id);
  } catch (problem) {
    if (!problem.message) throw problem;
    return say(problem.message, "bad");
  }
  chosen = member;
  fill(sitesDialog, { name: nameOf(member) });
  clear(sitesDialog.querySelector("form"));
  for (const box of sitesDialog.querySelectorAll("[name=sites]")) box.checked = opened.includes(Number(box.value));
  sitesDialog.showModal();
}

async function saveSites({ values: { sites } }) {
  for (const site of sites.filter((id) => !opened.includes(id))) {
    await call("POST", `sites/${site}/access/`, { user: chosen.id });
    opened.push(site);
  }
  for (const site of opened.filter((id) => !sites.includes(id))) {
    await call("DELETE", `sites/${site}/access/${chosen.id}/`).catch(closedAlready);
    opened.splice(opened.indexOf(site), 1);
  }
  sitesDialog.close();
  say(word("sites-saved", { name: nameOf(chosen) }));
}

function closedAlready(problem) {
  if (problem.status !== 404) throw problem;
}

function gone(problem) {
  if (problem.status === 404) problem.message = word("gone");
  return problem;
}

// --- Removing, sending again, withdrawing: asked or done, and said

async function done(region, list, work, text) {
  await load(region, async () => {
    try {
      await work();
      say(text);
    } catch (problem) {
      if (!problem.message) throw problem;
      say(gone(problem).message, "bad");
    }
    return list();
  });
  region.querySelector("h2").focus();
}

async function remove(member) {
  if ((await ask(document.getElementById("remove"), { name: nameOf(member) })) !== "yes") return;
  await done(members, listMembers, () => call("DELETE", `account/team/${member.id}/`), word("removed", { name: nameOf(member) }));
}

async function withdraw({ id, email }) {
  if ((await ask(document.getElementById("withdraw"), { email })) !== "yes") return;
  await done(invitations, listInvitations, () => call("DELETE", `account/team/invitations/${id}/`), word("withdrawn", { email }));
}

const again = ({ id, email }) =>
  done(invitations, listInvitations, () => call("POST", `account/team/invitations/${id}/resend/`), word("sent-again", { email }));

document.querySelector(".account-page").addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-do]");
  if (!button) return;
  const { do: deed, member, invitation } = button.dataset;
  const about = found.get(member ?? `i${invitation}`);
  ({ role: openRole, sites: openSites, remove, again, withdraw, invite: openInvitation })[deed](about);
});

// --- Inviting: sites are chosen for roles that do not have all

function showSites() {
  const sites = inviteDialog.querySelector("[data-sites]");
  if (!sites) return;
  const role = inviteDialog.querySelector("[name=role]:checked").value;
  sites.disabled = sites.hidden = !sites.dataset.sites.split(" ").includes(role);
}

function openInvitation() {
  const form = inviteDialog.querySelector("form");
  form.reset();
  clear(form);
  showSites();
  inviteDialog.showModal();
}

if (isManager) {
  inviteDialog.addEventListener("change", showSites);
  onSend(roleDialog.querySelector("form"), giveRole);
  if (sitesDialog) onSend(sitesDialog.querySelector("form"), saveSites);
  onSend(inviteDialog.querySelector("form"), async ({ values: { email, role, sites } }) => {
    await call("POST", "account/team/invite/", { email, role, ...(sites?.length && { sites }) });
    inviteDialog.close();
    say(word("invited", { email }));
    await load(invitations, listInvitations);
  });
}

reload();
