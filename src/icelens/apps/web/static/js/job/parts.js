// Renew the parts of a job's page that changed; what is open, chosen and focused stays so.
import { fetchPiece } from "../fragments.js";
import { refreshTimes } from "../times.js";

const known = new Map();

/** Fetch the parts of a job and replace those that differ; returns the state it is in. */
export async function renewParts(number) {
  const fresh = await fetchPiece(`/fragments/jobs/${number}`);
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const text = steady(part);
    const old = document.querySelector(`#job [data-part="${part.dataset.part}"]`);
    if (!known.has(part.dataset.part)) known.set(part.dataset.part, steady(old));
    if (known.get(part.dataset.part) === text) continue;
    known.set(part.dataset.part, text);
    replacePart(old, part);
  }
  refreshTimes();
  const head = document.querySelector('#job [data-part="head"]');
  document.getElementById("job").dataset.state = head.dataset.state;
  return head.dataset.state;
}

/** Remember the parts as the server made them, before anything on the page changes them. */
export function rememberParts() {
  for (const part of document.querySelectorAll("#job [data-part]")) known.set(part.dataset.part, steady(part));
}

/** A part as text, without what changes by itself. */
function steady(part) {
  const copy = part.cloneNode(true);
  copy.removeAttribute("data-revision");
  copy.querySelectorAll("time, [data-since]").forEach((each) => (each.textContent = ""));
  copy.querySelectorAll("time").forEach((each) => each.removeAttribute("title"));
  copy.querySelectorAll("details").forEach((each) => each.removeAttribute("open"));
  return copy.innerHTML;
}

function replacePart(old, part) {
  if (old.querySelector("[data-editing]")) return;
  for (const details of part.querySelectorAll("details[id]")) {
    const before = old.querySelector(`#${CSS.escape(details.id)}`);
    if (before) details.open = before.open;
  }
  const sliders = [...old.querySelectorAll("[data-series] input")].map((input) => (input.value === input.max ? null : input.value));
  const report = old.querySelector("#report[open] iframe");
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
  if (report && part.querySelector("iframe")) {
    // a frame that moves is loaded anew; the part stays until the report is closed
    known.delete(part.dataset.part);
    return;
  }
  old.replaceWith(part);
  part.querySelectorAll("[data-series] input").forEach((input, i) => {
    if (sliders[i] === null || sliders[i] === undefined) return;
    input.value = sliders[i];
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  if (focused) part.querySelector(`[data-act="${focused}"]`)?.focus();
}
