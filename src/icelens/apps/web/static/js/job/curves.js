// Curves and numbers of a job, from its metrics, growing while it runs.
import { make } from "../plots/elements.js";
import { showMetrics, spoken } from "../plots/metrics.js";
import { format } from "../plots/numbers.js";

/** Show what a job measured; returns a function that looks whether there is more. */
export function jobCurves(number) {
  const place = document.getElementById("curves");
  const grid = make("div", "plot-grid");
  place.append(grid);
  const shown = [showMetrics(grid, number)];
  const parts = new Set();

  return async () => {
    await Promise.all(shown.map((each) => each.refresh()));
    for (const part of shown[0].metrics.parts) {
      if (!parts.has(part) && parts.size < 12) {
        parts.add(part);
        shown.push(addPart(place, number, part));
      }
    }
    place.hidden = shown.every((each) => each.metrics.series.size === 0);
    place.parentElement.classList.toggle("has-curves", !place.hidden);
    showNumbers(shown[0].metrics.series);
  };
}

/** Folds and trials keep their own metrics; they are drawn when they are looked at. */
function addPart(place, number, part) {
  const details = make("details", "part");
  details.append(make("summary", "", part));
  const grid = make("div", "plot-grid");
  details.append(grid);
  place.append(details);
  const shown = showMetrics(grid, number, part);
  details.addEventListener("toggle", () => details.open && shown.refresh());
  return { metrics: shown.metrics, refresh: () => (details.open ? shown.refresh() : Promise.resolve()) };
}

function showNumbers(series) {
  const panel = document.getElementById("numbers");
  panel.hidden = series.size === 0;
  if (panel.hidden) return;
  const table = make("table", "table");
  const head = table.createTHead().insertRow();
  for (const [i, title] of ["", "last", "lowest", "highest", "steps"].entries()) head.append(make("th", i ? "number" : "", title));
  const body = table.createTBody();
  for (const [name, { x, y }] of series) {
    const known = y.filter((value) => value !== null);
    if (!known.length) continue;
    const row = body.insertRow();
    row.append(make("td", "", spoken(name)));
    const lowest = known.reduce((a, b) => Math.min(a, b));
    const highest = known.reduce((a, b) => Math.max(a, b));
    for (const value of [known.at(-1), lowest, highest]) row.append(make("td", "number", format(value)));
    row.append(make("td", "number", String(x.at(-1))));
  }
  panel.querySelector(".scroll").replaceChildren(table);
}
