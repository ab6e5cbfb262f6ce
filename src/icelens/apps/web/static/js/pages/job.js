// The page of a job: its parts, curves and log, renewed while it runs; what one can do with it.
import { settled } from "../fragments.js";
import { jobCurves } from "../job/curves.js";
import { rememberParts, renewParts } from "../job/parts.js";
import "../job/pictures.js";
import "../job/title.js";
import { act } from "../jobs/actions.js";
import { onChange } from "../live.js";
import { LogViewer } from "../log/viewer.js";
import { attempt } from "../toast.js";
import "../times.js";

const EVERY = 2000;
const page = document.getElementById("job");
const number = Number(page.dataset.number);

rememberParts();
const renewCurves = jobCurves(number);
const log = new LogViewer(document.getElementById("log"), number);

const renew = settled(async () => {
  await renewParts(number);
  await Promise.all([attempt(renewCurves), log.renew()]);
}, 150);

onChange((message) => {
  if ("jobs" in message && (message.jobs === null || message.jobs.includes(number))) renew();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("#job [data-act]");
  if (!button) return;
  button.disabled = true;
  const worked = await act(number, button.dataset.act);
  button.disabled = false;
  if (worked.length) renew();
});

// metrics and logs grow without the queue hearing of it
setInterval(() => {
  if (document.hidden || page.dataset.state !== "running") return;
  attempt(renewCurves);
  log.renew();
}, EVERY);

await Promise.all([attempt(renewCurves), log.begin()]);
