// Keep relative times and running durations true while a page stays open.
const UNITS = [[60, "min", 3600], [3600, "h", 86400], [86400, "d", 7 * 86400]];
const HALF_MINUTE = 30;

/** A moment as `4 min ago`, as the server says it. */
export function ago(moment, now = Date.now()) {
  const seconds = (now - moment) / 1000;
  if (seconds < 45) return "just now";
  for (const [length, unit, limit] of UNITS) {
    if (seconds < limit) return `${Math.max(1, Math.round(seconds / length))} ${unit} ago`;
  }
  return new Date(moment).toLocaleDateString(undefined, { day: "2-digit", month: "short", year: "numeric" });
}

/** Seconds with the digits they deserve. */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  const whole = Math.round(seconds / 60);
  return `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

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
