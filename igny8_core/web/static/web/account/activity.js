// Who did what and when: filtered and turned page by page; the address says what is shown.
import { read, readAll } from "./api.js";
import { drawn, load } from "./states.js";
import { word } from "./words.js";
import { dayAndTime, locale } from "../locale.js";

const region = document.getElementById("activity");
const form = document.getElementById("filters");
const { pageSize, zone } = region.dataset;
const names = Object.fromEntries([...form.elements.type.options].map((option) => [option.value, option.textContent]));
const details = [...document.getElementById("details").content.children];
const values = Object.fromEntries([...document.getElementById("values").content.children].map((each) => [each.dataset.value, each.textContent]));
const time = new Intl.DateTimeFormat(locale, { ...dayAndTime, timeZone: zone });

const asked = () => new URLSearchParams(location.search);

// Whom an event is about: members by their login, invited people by their invitation. Who has left is not named.
const people = new Map();

async function learnPeople() {
  const lists = [["igny8_auth.user", "account/team/"]];
  if ("manages" in region.dataset) lists.push(["igny8_auth.teaminvitation", "account/team/invitations/"]);
  for (const [kind, path] of lists) for (const { id, email } of await readAll(path)) people.set(`${kind} ${id}`, email);
}

async function list() {
  if (!people.size) await learnPeople();
  const query = new URLSearchParams({ page_size: pageSize, page: asked().get("page") ?? "1" });
  for (const name of ["type", "date_from", "date_to"]) if (asked().get(name)) query.set(name, asked().get(name));
  const answer = await read(`account/activity/?${query}`);
  region.querySelector("tbody").replaceChildren(...answer.data.map(rowOf));
  showPages(answer);
  return answer.count;
}

function rowOf(event) {
  const who = { support: word("support"), "former member": word("former") }[event.actor] ?? event.actor ?? word("system");
  const copy = drawn(document.getElementById("event"), { when: time.format(new Date(event.created_at)), who, what: names[event.type] ?? event.type });
  const about = people.get(`${event.object_type} ${event.object_id}`);
  const isOther = about && about !== event.actor;
  copy.querySelector("[data-details]").textContent = [isOther && about, detailsOf(event.data)].filter(Boolean).join(" · ");
  return copy;
}

const named = (value) => values[value] ?? value;

function detailsOf(data) {
  const parts = details.filter(({ dataset }) => data[dataset.detail] !== undefined && data[dataset.detail] !== "").map((label) => {
    const value = data[label.dataset.detail];
    const text = Array.isArray(value) ? value.map(named).join(", ") : named(String(value));
    return `${label.textContent}: ${text}${label.hasAttribute("data-money") && data.currency ? ` ${data.currency}` : ""}`;
  });
  // Ids of people say nothing to anybody.
  const isWord = (value) => typeof value === "string" && value !== "";
  if (isWord(data.from) && isWord(data.to)) parts.push(`${named(data.from)} → ${named(data.to)}`);
  return parts.join(" · ");
}

function showPages({ count, next, previous }) {
  const page = Number(asked().get("page") ?? 1);
  const pages = region.querySelector(".pages");
  pages.hidden = !next && !previous;
  pages.querySelector("p").textContent = word("page", { page, pages: Math.ceil(count / Number(pageSize)) });
  pages.querySelector("[data-turn='-1']").disabled = !previous;
  pages.querySelector("[data-turn='1']").disabled = !next;
}

function go(query) {
  history.pushState(null, "", query.size ? `?${query}` : location.pathname);
  return load(region, list);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(new URLSearchParams([...new FormData(form)].filter(([, value]) => value)));
});

form.addEventListener("reset", () => setTimeout(() => go(new URLSearchParams())));

region.addEventListener("click", async ({ target }) => {
  const { turn } = target.closest("button")?.dataset ?? {};
  if (!turn) return;
  const query = asked();
  query.set("page", Number(query.get("page") ?? 1) + Number(turn));
  await go(query);
  region.querySelector("h2").focus();
  region.scrollIntoView({ block: "start" });
});

function follow() {
  for (const name of ["type", "date_from", "date_to"]) form.elements[name].value = asked().get(name) ?? "";
  load(region, list);
}

window.addEventListener("popstate", follow);
follow();
