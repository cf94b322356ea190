// The form "I have paid": files by drag and drop, large photos made smaller, and a lost connection loses nothing.
// Without this script the browser sends the same form by itself.
import { swap } from "./swap.js";

// As locale.js has it, without a file more to load: this page is opened from mails, on any network.
const locale = document.querySelector("meta[name=locale]").content;
const LONGEST_SIDE = 2400;

const zone = () => document.querySelector(".drop");
const input = () => zone().querySelector("input[type=file]");

function take(files) {
  const chosen = new DataTransfer();
  if (files[0]) chosen.items.add(files[0]);
  input().files = chosen.files;
  showFile();
}

function showFile() {
  const file = input().files[0];
  const taken = zone().querySelector(".taken");
  taken.hidden = !file;
  if (file) taken.querySelector("bdi").textContent = `${file.name} · ${Math.ceil(file.size / 1024).toLocaleString(locale)} kB`;
  zone().querySelector(".again")?.remove();
  problem(file && file.size > Number(zone().dataset.limit) ? zone().dataset.tooLarge : "");
}

function problem(text) {
  const place = zone().querySelector(".error");
  place.textContent = text;
  place.hidden = !text;
  zone().classList.toggle("wrong", Boolean(text));
}

// Cameras make files of many megabytes, of which a receipt needs few.
async function madeSmaller(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < 1024 * 1024) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale].map(Math.round);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: blob.type }) : file;
  } catch {
    return file; // No picture that this browser can read: the server says what it thinks of it.
  }
}

document.addEventListener("change", async (event) => {
  if (!event.target.matches(".drop input[type=file]")) return;
  const [file] = event.target.files;
  const smaller = file && (await madeSmaller(file));
  smaller && smaller !== file ? take([smaller]) : showFile();
});

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, async (event) => {
    const target = event.target.closest?.(".drop");
    if (!target) return;
    event.preventDefault();
    target.classList.toggle("over", name === "dragover");
    if (name !== "drop" || !event.dataTransfer.files.length) return;
    take([await madeSmaller(event.dataTransfer.files[0])]);
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-remove]")) take([]);
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "transfer") return;
  event.preventDefault();
  const form = event.target;
  if (input().files[0]?.size > Number(zone().dataset.limit)) return input().focus();
  if (!("sending" in form.dataset)) send(form);
});

// Not fetch(), which does not tell how much has been sent.
function send(form) {
  const request = new XMLHttpRequest();
  const body = new FormData(form);
  const kept = [...input().files];
  request.responseType = "document";
  request.upload.onprogress = ({ loaded, total }) => (form.querySelector("progress").value = (100 * loaded) / total);
  request.onloadend = () => {
    busy(form, false);
    const now = request.response && swap(request.response);
    // A refusal of the whole link has no invoice on it, and says why.
    if (!now) return lost(form, request.response?.querySelector("[data-why]")?.textContent);
    // A script may keep the chosen file, which browsers forget with the page.
    if (kept.length && now.querySelector(".drop:not(.wrong)")) take(kept);
    const first = now.querySelector(".wrong input, .wrong textarea, [role='alert']:not([hidden])") ?? now.querySelector(".act h2");
    first.tabIndex < 0 && (first.tabIndex = -1);
    first.focus();
  };
  busy(form, true);
  form.querySelector("#lost").hidden = true;
  request.open("POST", form.action);
  request.send(body);
}

function lost(form, why) {
  const notice = form.querySelector("#lost");
  notice.textContent = why ?? notice.dataset.lost;
  notice.hidden = false;
  notice.tabIndex = -1;
  notice.focus();
}

function busy(form, isBusy) {
  isBusy ? (form.dataset.sending = "") : delete form.dataset.sending;
  form.querySelector(".sending").hidden = !isBusy;
  form.querySelector("button:not([type])").disabled = isBusy;
}
