// Shows what becomes of an open payment on every page, without a reload.
//
// It polls, and nothing is pushed: an approval may take days, a connection that is held open for every page that waits
// would keep a process of the server for it, while a question costs two small queries and is mostly answered with 304.
// Questions pass every proxy and come back by themselves after sleep or a lost network. Nothing is asked while nobody
// looks at the page, and ever more seldom while nothing happens.
const SOON = 2000;
const PACES = { waits: { factor: 1.2, most: 8000 }, open: { factor: 1.5, most: 60000 } };
let wait = SOON;
let timer = 0;

const region = () => document.getElementById("standing");
const pace = () => ("waits" in region().dataset ? PACES.waits : PACES.open);

function later() {
  clearTimeout(timer);
  if (document.hidden || !region().dataset.version) return;
  timer = setTimeout(look, wait);
  wait = Math.min(wait * pace().factor, pace().most);
}

async function look() {
  const { address, version } = region().dataset;
  try {
    const answer = await fetch(address, { headers: { "If-None-Match": `"${version}"` } });
    // Signed out in another tab: what is shown here is nobody's business any more.
    if (answer.status === 401) return location.reload();
    if (answer.status === 200) await renew((await answer.json()).version, version);
  } catch {
    wait = pace().most; // No network: as slowly as it goes.
  }
  later();
}

async function renew(version, shown) {
  if (version === shown) return;
  const answer = await fetch(location.pathname + location.search);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = fresh.getElementById("standing");
  if (!now) return location.reload();
  renewBanner(now);
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    // What somebody is typing stays; the page shows the rest when it is loaded next.
    if (next && !isBeingUsed(part)) part.replaceWith(next);
  }
  wait = SOON;
}

// The region itself stays, so that screen readers say what has changed in it.
function renewBanner(now) {
  const old = region();
  for (const name of ["version", "waits"]) {
    if (name in now.dataset) old.dataset[name] = now.dataset[name];
    else delete old.dataset[name];
  }
  old.replaceChildren(...(now.dataset.version ? now.children : [settled()]));
}

function settled() {
  const banner = document.createElement("div");
  banner.className = "banner settled";
  const text = document.createElement("p");
  text.textContent = region().dataset.settled;
  const inside = document.createElement("div");
  inside.className = "wide";
  inside.append(text);
  banner.append(inside);
  return banner;
}

function isBeingUsed(part) {
  const isTyped = (field) => field.type !== "hidden" && field.value !== field.defaultValue;
  return part.contains(document.activeElement) || [...part.querySelectorAll("input, textarea")].some(isTyped);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  wait = SOON;
  if (!document.hidden && region().dataset.version) look();
});
later();
