// Parts of a page ([data-part]) that the server draws anew: after a change, for another filter, for the next page.
import { say } from "../account/dialogs.js";
import { word } from "../account/words.js";

async function drawnAnew(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
  } catch {
    say(word("lost"), "bad");
    return null;
  }
  if (answer.redirected && new URL(answer.url).pathname !== new URL(address, location.href).pathname) {
    location.assign(address); // Signed out meanwhile: the login leads back here.
    return null;
  }
  if (answer.status >= 500) {
    say(word("broken"), "bad");
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// The part `name` of another page, or null, which has been said then.
export async function partOf(address, name) {
  const fresh = await drawnAnew(address);
  const part = fresh?.querySelector(`[data-part="${name}"]`);
  return part ? document.adoptNode(part) : null;
}

let asked = 0;

// Put each part of this page as it is at `address` in its place; whether that was possible. Of two that are asked for
// at once, the later one counts.
export async function renew(address = location.href) {
  const number = (asked += 1);
  for (const part of document.querySelectorAll("[data-part]")) part.setAttribute("aria-busy", "true");
  const fresh = await drawnAnew(address);
  if (number !== asked) return false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh?.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next) put(next, part);
    else part.removeAttribute("aria-busy");
  }
  if (fresh) document.title = fresh.title;
  return Boolean(fresh);
}

// Who was in the old part goes on at the beginning of the new one.
function put(next, old) {
  const wasThere = old.contains(document.activeElement);
  old.replaceWith(document.adoptNode(next));
  const title = wasThere && next.querySelector("h1, h2");
  if (!title) return;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

async function turn(address) {
  if (await renew(address)) history.pushState(null, "", address);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-fills]");
  if (!form) return;
  event.preventDefault();
  const said = [...new FormData(form)].filter(([, value]) => value !== "");
  turn(`${form.getAttribute("action")}?${new URLSearchParams(said)}`);
});

// What is chosen from a list needs no button; what is typed does.
document.addEventListener("change", ({ target }) => {
  if (target.matches("form[data-fills] select")) target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-turns]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  turn(link.href);
});

window.addEventListener("popstate", () => location.reload());
