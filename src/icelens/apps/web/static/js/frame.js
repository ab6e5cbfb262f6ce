// What every page has: the theme button, keys, the live connection, and copy buttons.
import { onChange } from "./live.js";
import { copy, toast } from "./toast.js";

const KEYS = [["/", "search jobs"], ["n", "new job"], ["g h", "home"], ["g d", "data"], ["g j", "jobs"], ["g v", "view"], ["j k", "down and up a list"], ["?", "these keys"]];
const PLACES = { h: "/", d: "/data", j: "/jobs", v: "/view" };

const button = document.getElementById("theme");
const label = () => { button.textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark"; };
button.addEventListener("click", () => window.icelensToggleTheme());
document.addEventListener("themechange", label);
label();

// one failed try may be a hiccup; then what is on the page may be old, and its buttons reach nobody
document.body.addEventListener("connection", (event) => {
  const box = document.getElementById("lost");
  box.hidden = event.detail < 2;
  if (!box.hidden && !box.textContent) box.textContent = "not connected: this page may be out of date";
  box.title = "The workbench was closed or started anew. Jobs run on. Start icelens serve and open the link it prints.";
});

onChange((message) => {
  if (message.trouble) toast(message.trouble, "failed");
  if (message.project) location.assign("/");
});

document.addEventListener("click", (event) => {
  const source = event.target.closest("[data-copy]");
  if (source) copy(source.dataset.copy);
});

document.body.addEventListener("htmx:responseError", (event) => {
  let text = `the server said ${event.detail.xhr.status}`;
  try { text = JSON.parse(event.detail.xhr.responseText).error ?? text; } catch { /* a page, not JSON */ }
  toast(text, "failed");
});

let before = "";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (before === "g" && PLACES[event.key]) location.assign(PLACES[event.key]);
  before = event.key;
  if (event.key === "/") { event.preventDefault(); document.getElementById("search").focus(); }
  if (event.key === "n" && !document.querySelector("[data-own-keys]")) location.assign("/jobs/new");
  if (event.key === "?") showKeys();
});

function showKeys() {
  const dialog = document.getElementById("keys");
  dialog.replaceChildren();
  const table = document.createElement("table");
  table.className = "table";
  const own = [...document.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each.dataset.keyDoes]);
  for (const [key, does] of [...KEYS, ...own]) {
    const row = table.insertRow();
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    row.insertCell().append(kbd);
    row.insertCell().textContent = does;
  }
  const close = document.createElement("button");
  close.className = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(table, close);
  dialog.showModal();
}
