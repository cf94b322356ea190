// Shows how the payment goes on without a reload.
//
// It polls, and holds no connection open: a page waits for hours until an operator has looked at a bank statement, a
// server process per waiting page would be far more than the one small answer in some seconds, and polling passes
// every proxy and comes back by itself after sleep or a lost network. It stops while nobody looks at the page.
import { isBeingFilledIn, swap } from "./swap.js";

const SOON = 2000;
const PACES = { waits: { factor: 1.2, most: 8000 }, open: { factor: 1.6, most: 60000 } };
const GONE = new Set([404, 410]);
let wait = SOON;
let timer = 0;

const page = () => document.getElementById("pay");
const pace = () => ("waits" in page().dataset ? PACES.waits : PACES.open);

function later(least = 0) {
  clearTimeout(timer);
  if (document.hidden) return;
  timer = setTimeout(look, Math.max(wait, least));
  wait = Math.min(wait * pace().factor, pace().most);
}

async function look() {
  const shown = page();
  let least = 0;
  try {
    const answer = await fetch(shown.dataset.state, { headers: { "If-None-Match": `"${shown.dataset.version}"` } });
    if (GONE.has(answer.status)) return location.reload();
    least = 1000 * Number(answer.headers.get("Retry-After") ?? 0);
    if (answer.status === 200) await show((await answer.json()).version);
  } catch {
    wait = pace().most; // No network: as slowly as it goes.
  }
  later(least);
}

async function show(version) {
  if (version === page().dataset.version) return;
  if (isBeingFilledIn()) {
    document.getElementById("changed").hidden = false;
    return;
  }
  const answer = await fetch(location.pathname);
  if (!answer.ok) return;
  swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  wait = SOON;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  wait = SOON;
  if (!document.hidden) look();
});
later();
