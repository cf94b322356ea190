// A part of a page that is loaded: it waits, is there, is empty, or says why it is not and how to try again.
import { GivenUp, Lost, Refusal } from "./send.js";

const lost = new Set();

function show(region, state) {
  region.dataset.state = state;
  region.setAttribute("aria-busy", String(state === "loading"));
  for (const part of region.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
}

// Fill `region` by `work`, which returns whether there is anything. What is shown already stays meanwhile.
export async function load(region, work) {
  lost.delete(region);
  region.querySelector("[data-again]").onclick = () => load(region, work);
  if (region.dataset.state === "ready") region.setAttribute("aria-busy", "true");
  else show(region, "loading");
  try {
    show(region, (await work()) ? "ready" : "empty");
  } catch (problem) {
    if (!(problem instanceof Refusal || problem instanceof Lost || problem instanceof GivenUp)) throw problem;
    region.querySelector("[data-why]").textContent = problem.message;
    show(region, "problem");
    if (problem instanceof Lost) lost.add(region);
  }
}

// Back online: what was lost is asked for again by itself.
window.addEventListener("online", () => {
  for (const region of [...lost]) region.querySelector("[data-again]").click();
});

// A copy of a <template>'s content, with texts put where [data-text="name"] stands.
export function drawn(template, texts = {}) {
  const copy = template.content.cloneNode(true);
  for (const [name, text] of Object.entries(texts)) {
    for (const place of copy.querySelectorAll(`[data-text="${name}"]`)) place.textContent = text ?? "";
  }
  return copy;
}
