// Histogram of a column of particles: amounts in bins, classes one by one.
import { csvCell } from "../downloads.js";
import { axisTitle, drawFrame, percentiles } from "../latents/axes.js";
import { extentOf } from "../latents/cloud.js";

const BINS = 60;
const MOST_BARS = 30;

/** Counts of a column: {edges or labels, counts, view, axis}. */
export function counted(values, info) {
  if (info.kind === "class") {
    const place = new Map(info.values.map((value, i) => [value, i])), counts = new Array(info.labels.length).fill(0);
    for (const value of values) if (place.has(value)) counts[place.get(value)]++;
    const kept = counts.map((count, i) => [info.labels[i], count]).sort((a, b) => b[1] - a[1]).slice(0, MOST_BARS);
    return { labels: kept.map(([label]) => label), counts: kept.map(([, count]) => count), low: -0.5, high: kept.length - 0.5, info };
  }
  let [low, high] = percentiles(values, 0.1, 99.9);
  const [least, most] = extentOf(values);
  if (most - least < 1.5 * (high - low) && most > least) [low, high] = [least, most];
  const counts = new Array(BINS).fill(0), scale = BINS / (high - low);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor((value - low) * scale));
    if (value >= low && value <= high) counts[bin]++;
  }
  return { labels: null, counts, low, high, info };
}

/** Draw bars with axes. */
export function drawCounts(pen, found, width, height) {
  const box = { left: 64, top: 12, width: width - 84, height: height - 60 }, most = Math.max(...found.counts, 1) * 1.05;
  const each = box.width / found.counts.length, gap = found.labels ? 0.15 * each : 0;
  found.counts.forEach((count, i) => {
    const high = (count / most) * box.height;
    pen.fill(box.left + i * each + gap, box.top + box.height - high, each - 2 * gap + (found.labels ? 0 : 0.7), high, "bars");
  });
  const view = { x0: found.low, x1: found.high, y0: 0, y1: most };
  drawFrame(pen, box, view, { x: axisTitle(found.info), y: "images" }, { x: found.labels });
}

/** Lines of a CSV. */
export function countsCsv({ counts, labels, low, high }) {
  const step = (high - low) / counts.length;
  const head = labels ? "class,images" : "from,to,images";
  const lines = counts.map((count, i) => (labels ? `${csvCell(labels[i])},${count}` : `${low + i * step},${low + (i + 1) * step},${count}`));
  return `${[head, ...lines].join("\n")}\n`;
}

/** A sentence on a column: how many values, least, middle, most. */
export function wordsOf(values, { kind, labels }) {
  if (kind === "class") return `${labels.length} different values`;
  const known = values.filter((value) => Number.isFinite(value)).sort();
  if (!known.length) return "no values";
  const round = (value) => Number(value.toPrecision(5));
  const missing = values.length - known.length;
  return `from ${round(known[0])} to ${round(known[known.length - 1])}, median ${round(known[known.length >> 1])}${missing ? `; ${missing} not known` : ""}`;
}
