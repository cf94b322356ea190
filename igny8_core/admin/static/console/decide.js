// Many selected payments are decided in parts, so that one sees how far it is. The report is put together of theirs.
const form = document.querySelector("[data-decide]");
const atOnce = Number(form.dataset.atOnce);
const ids = form.elements.payments;
let isDeciding = false;

function remember(report) {
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "report", value: report });
  form.append(field);
}

async function decided(part) {
  const body = new FormData(form);
  body.set("payments", part.join(","));
  body.delete("report");
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  const isReport = answer.ok && answer.headers.get("Content-Type")?.startsWith("application/json");
  if (!isReport) return false;
  remember((await answer.json()).report);
  return true;
}

async function decide(all) {
  const shown = form.querySelector("[data-progress]");
  shown.hidden = false;
  let rest = all;
  // Whatever stops a part (a code that is asked for once more, a lost network) the page itself is sent with the rest,
  // and says what it is.
  while (rest.length && (await decided(rest.slice(0, atOnce)).catch(() => false))) {
    rest = rest.slice(atOnce);
    shown.querySelector("progress").value = all.length - rest.length;
    shown.querySelector("[data-done]").textContent = all.length - rest.length;
  }
  ids.value = rest.join(",");
  form.submit();
}

form.addEventListener("submit", (event) => {
  if (isDeciding) return event.preventDefault();
  isDeciding = true;
  form.querySelector("button[type=submit]").disabled = true;
  const all = ids.value.split(",").filter(Boolean);
  if (all.length <= atOnce) return;
  event.preventDefault();
  decide(all);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
