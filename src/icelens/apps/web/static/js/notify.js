// Tell on the desktop when a job ends, where the user asked for it; one page of all that are open does.
import { getJson } from "./api.js";
import { onChange } from "./live.js";
import { toast } from "./toast.js";

const PROJECT = document.documentElement.dataset.project ?? "";
const WANTED = "icelens-notify";
const SEEN = `icelens-notified-${PROJECT}`;
const EVERY = 15000;
const canTell = "Notification" in window && window.isSecureContext;

function isOn() {
  return canTell && localStorage.getItem(WANTED) === "on" && Notification.permission === "granted";
}

function showButtons() {
  for (const button of document.querySelectorAll("[data-notify]")) {
    button.hidden = !canTell;
    button.setAttribute("aria-pressed", String(isOn()));
    button.textContent = isOn() ? "Telling when jobs end" : "Tell me when jobs end";
  }
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-notify]")) return;
  if (isOn()) localStorage.setItem(WANTED, "off");
  else if ((await Notification.requestPermission()) === "granted") {
    localStorage.setItem(WANTED, "on");
    localStorage.setItem(SEEN, new Date().toISOString());
  } else toast("The browser does not allow notifications from here; change that in its settings.", "failed");
  showButtons();
});

async function look() {
  if (!isOn()) return;
  const query = new URLSearchParams([["state", "done"], ["state", "failed"], ["state", "stopped"], ["sort", "ended"], ["limit", "20"]]);
  const { jobs } = await getJson(`/api/jobs?${query}`);
  const since = Date.parse(localStorage.getItem(SEEN) ?? new Date().toISOString());
  const ended = jobs.filter((job) => Date.parse(job.ended) > since);
  if (!ended.length) return;
  localStorage.setItem(SEEN, new Date(Math.max(...ended.map((job) => Date.parse(job.ended)))).toISOString());
  for (const job of ended.slice(0, 4)) tell(job);
}

function tell(job) {
  const body = job.state === "failed" ? job.cause.split("\n")[0].slice(0, 200) : job.title;
  const note = new Notification(`${job.name} ${job.state}`, { body, tag: `${PROJECT}-${job.number}` });
  note.onclick = () => {
    window.focus();
    location.assign(`/jobs/${job.number}`);
  };
}

/** Only one of the open pages looks; when it is closed another takes over. */
async function watch() {
  if (!navigator.locks) return;
  await navigator.locks.request(SEEN, async () => {
    const quietly = () => look().catch(() => {});
    onChange((message) => "jobs" in message && quietly());
    // a page in the background hears nothing by its websocket
    setInterval(() => document.hidden && quietly(), EVERY);
    await new Promise(() => {});
  });
}

if (canTell) {
  showButtons();
  new MutationObserver(() => document.querySelector("[data-notify][hidden]") && showButtons()).observe(document.body, { childList: true, subtree: true });
  watch();
}
