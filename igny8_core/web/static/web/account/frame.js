// What all pages of an account have: the menu shows where one is, and a lost connection is said.
import "./dialogs.js";

document.querySelector(".account-menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const offline = document.getElementById("offline");
const tell = () => (offline.hidden = navigator.onLine);
window.addEventListener("online", tell);
window.addEventListener("offline", tell);
tell();
