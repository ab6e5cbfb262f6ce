// Keep relative times and running durations true while a page stays open.
import { ago, duration } from "./quantities.js";

const HALF_MINUTE = 30; // in turns of a second

/** Say all times below an element as they are now, with the local date on hover. */
export function refreshTimes(root = document, isWhole = true) {
  if (isWhole) {
    for (const time of root.querySelectorAll("time[data-ago]")) {
      const moment = Date.parse(time.dateTime);
      if (!Number.isFinite(moment)) continue;
      setText(time, ago(moment));
      const local = new Date(moment).toLocaleString();
      if (time.title !== local) time.title = local;
    }
  }
  for (const each of root.querySelectorAll("[data-since]")) {
    const began = Date.parse(each.dataset.since);
    if (Number.isFinite(began)) setText(each, duration(Math.max(0, (Date.now() - began) / 1000)));
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let count = 0;
setInterval(() => {
  if (!document.hidden) refreshTimes(document, count++ % HALF_MINUTE === 0);
}, 1000);
document.addEventListener("visibilitychange", () => document.hidden || refreshTimes());
refreshTimes();
