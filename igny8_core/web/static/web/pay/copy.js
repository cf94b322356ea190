// The buttons that copy a detail of the transfer. They are listened to from above, as the page is swapped while open.
document.documentElement.classList.add("scripted");

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // Not over http, and not where the browser's owner forbids it.
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  const isDone = await copied(button.dataset.copy);
  if (!isDone) {
    const range = document.createRange();
    range.selectNodeContents(button.closest("div").querySelector("bdi"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
  button.textContent = isDone ? button.dataset.done : button.dataset.failed;
  document.getElementById("news").textContent = button.textContent;
  setTimeout(() => (button.textContent = label), isDone ? 2000 : 6000);
});
