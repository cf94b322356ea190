// Where one is signed in, and ending that.
import { call, readAll } from "./api.js";
import { say } from "./dialogs.js";
import { drawn, load } from "./states.js";
import { word } from "./words.js";
import { dayAndTime, locale } from "../locale.js";

const region = document.getElementById("sessions");
const row = document.getElementById("session");
const day = (text) => new Date(text).toLocaleString(locale, dayAndTime);

async function list() {
  const data = await readAll("account/sessions/");
  region.querySelector("tbody").replaceChildren(...data.map(rowOf));
  region.querySelector("[data-others]").hidden = data.length < 2;
  return data.length;
}

function rowOf(session) {
  const texts = { browser: session.browser || word("program"), created: day(session.created_at), used: day(session.used_at ?? session.created_at) };
  const copy = drawn(row, texts);
  copy.querySelector(".tag").hidden = !session.is_current;
  const button = copy.querySelector("button");
  button.hidden = session.is_current;
  button.dataset.end = session.id;
  return copy;
}

region.addEventListener("click", async ({ target }) => {
  const { end } = target.closest("button")?.dataset ?? {};
  const isForAll = target.closest("[data-others] button");
  if (!end && !isForAll) return;
  await load(region, async () => {
    if (isForAll) await call("POST", "account/sessions/end-others/");
    else await call("DELETE", `account/sessions/${end}/`);
    say(word(isForAll ? "ended-others" : "ended"));
    return list();
  });
  region.querySelector("h2").focus();
});

load(region, list);
