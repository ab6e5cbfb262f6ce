// Metrics of a job as curves: fetched piece by piece, put together, grouped, drawn as small multiples.
import { getJson } from "../api.js";
import { drawCurves } from "./curves.js";

const MOST_POINTS = 4000;
const LATE = ["gradient_norm", "learning_rate"];

/** Metrics of one job, or of a part of it, that grow with each `fetch`. */
export class Metrics {
  constructor(number, part = "") {
    this.number = number;
    this.part = part;
    this.parts = [];
    this.forget();
  }

  forget() {
    this.series = new Map();
    this.offset = 0;
    this.fileId = "";
  }

  /** Read what was appended; true if anything was. */
  async fetch() {
    let isChanged = false;
    for (let isMore = true; isMore; ) {
      const query = new URLSearchParams({ part: this.part, after: this.offset, file_id: this.fileId });
      const answer = await getJson(`/api/jobs/${this.number}/metrics?${query}`);
      if (answer.is_reset) this.forget();
      for (const [name, points] of Object.entries(answer.series)) isChanged = this.add(name, points) || isChanged;
      this.parts = answer.parts;
      this.offset = answer.offset;
      this.fileId = answer.file_id;
      isMore = answer.is_more;
    }
    return isChanged;
  }

  /** Append points; a run that was resumed does steps again, and the later ones count. */
  add(name, { step, value }) {
    if (!step.length) return false;
    const known = this.series.get(name) ?? { name, x: [], y: [] };
    let kept = known.x.length;
    while (kept && known.x[kept - 1] >= step[0]) kept -= 1;
    const joined = { name, x: known.x.slice(0, kept).concat(step), y: known.y.slice(0, kept).concat(value) };
    this.series.set(name, thinned(joined));
    return true;
  }
}

/** A curve of at most `MOST_POINTS`, with the lowest and highest of each stretch kept. */
export function thinned(series, most = MOST_POINTS) {
  const count = series.x.length;
  if (count <= most) return series;
  const [x, y] = [[], []];
  const stretches = most / 2;
  for (let stretch = 0; stretch < stretches; stretch++) {
    const [first, last] = [stretch, stretch + 1].map((i) => Math.floor((i * count) / stretches));
    for (const place of extremes(series.y, first, last)) {
      x.push(series.x[place]);
      y.push(series.y[place]);
    }
  }
  return { ...series, x, y };
}

function extremes(values, first, last) {
  let [low, high] = [-1, -1];
  for (let i = first; i < last; i++) {
    if (values[i] === null) continue;
    if (low < 0 || values[i] < values[low]) low = i;
    if (high < 0 || values[i] > values[high]) high = i;
  }
  if (low < 0) return [first];
  return low === high ? [low] : [low, high].sort((a, b) => a - b);
}

/** Name of what a metric measures, the same for training and validation. */
function familyOf(name) {
  return name.replace(/^(val|validation|train|training|held_out|test)_/, "").replace(/_step$/, "");
}

/** Metrics that belong into one plot, the loss first, bookkeeping last. */
export function grouped(names) {
  const groups = new Map();
  for (const name of names) groups.set(familyOf(name), [...(groups.get(familyOf(name)) ?? []), name]);
  const rank = (family) => (family === "loss" ? -1 : LATE.indexOf(family) + 1);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b)).map(([family, members]) => ({ family, names: members }));
}

/** A metric's name as people write it. */
export function spoken(name) {
  return name.replaceAll("_", " ");
}

/** What `drawCurves` needs for one group, from series of `{name, x, y}`. */
export function metricSpec(family, series, fileName) {
  const isLong = series.some((each) => each.x.length > 50);
  const isRate = family === "learning_rate";
  return {
    title: spoken(family),
    fileName,
    x: { label: "step", isWhole: true },
    y: { label: spoken(family) },
    series,
    height: 220,
    switches: isLong && !isRate ? ["log", "smooth"] : ["log"],
    isSmooth: isLong && !isRate,
  };
}

/**
 * Draw all metrics of a job into an element and keep them up to date.
 *
 * @param element a `.plot-grid`
 * @param number of the job
 * @returns `{refresh(), destroy(), metrics}`; call `refresh` when the job said something new
 */
export function showMetrics(element, number, part = "") {
  const metrics = new Metrics(number, part);
  const plots = new Map();
  let running = null;

  async function refreshNow() {
    if (!(await metrics.fetch())) return;
    for (const { family, names } of grouped(metrics.series.keys())) {
      const series = names.map((name) => ({ ...metrics.series.get(name), name: spoken(name) }));
      const spec = metricSpec(family, series, `job-${number}-${part}-${family}`);
      if (plots.has(family)) plots.get(family).update(spec);
      else {
        const place = document.createElement("div");
        element.append(place);
        plots.set(family, drawCurves(place, spec));
      }
    }
  }

  return {
    metrics,
    refresh: () => (running ??= refreshNow().finally(() => (running = null))),
    destroy: () => plots.forEach((plot) => plot.destroy()),
  };
}
