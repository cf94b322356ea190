// Asks how far the worker is, and shows the report once it is done.
const shown = document.querySelector("[data-deciding]");
const EVERY = 1000;

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const found = await answer.json();
  if (found.is_done) return location.reload();
  shown.querySelector("progress").value = found.all - found.waiting;
  shown.querySelector("[data-done]").textContent = found.all - found.waiting;
}

setInterval(() => look().catch(() => {}), EVERY);
