// From curves to columns over one x: aligned, smoothed, made fit for a logarithm, and summed up in a sentence.
import { format } from "./numbers.js";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/**
 * Columns over the union of all x: `[x, y of each series]`. Where a series has no point the value
 * is `undefined` (lines go on), where its own value is missing it is `null` (a gap).
 */
export function aligned(series) {
  const places = new Set();
  for (const each of series) for (const x of each.x) if (isNumber(x)) places.add(x);
  const xs = [...places].sort((a, b) => a - b);
  const row = new Map(xs.map((x, i) => [x, i]));
  const columns = series.map((each) => {
    const column = new Array(xs.length);
    each.x.forEach((x, i) => {
      if (row.has(x)) column[row.get(x)] = isNumber(each.y[i]) ? each.y[i] : null;
    });
    return column;
  });
  return [xs, ...columns];
}

/** Median over a window of a twentieth of the curve, at least three points; gaps stay gaps. */
export function smoothed(values) {
  const known = [];
  values.forEach((value, i) => isNumber(value) && known.push(i));
  const half = Math.max(1, Math.floor(known.length / 40));
  const result = values.slice();
  known.forEach((place, i) => {
    const near = known.slice(Math.max(0, i - half), i + half + 1).map((j) => values[j]);
    near.sort((a, b) => a - b);
    const middle = near.length >> 1;
    result[place] = near.length % 2 ? near[middle] : (near[middle - 1] + near[middle]) / 2;
  });
  return result;
}

/** Values of which a logarithm exists; others become gaps. */
export function positive(values) {
  return values.map((value) => (isNumber(value) && value <= 0 ? null : value));
}

/** Whether a logarithmic axis can show anything. */
export function hasPositive(series) {
  return series.some((each) => each.y.some((value) => isNumber(value) && value > 0));
}

/** Lowest and highest number of some columns, or null if they hold none. */
export function extent(columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (!isNumber(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** The last point of a curve that has a value, or null. */
export function lastPoint(each) {
  for (let i = each.y.length - 1; i >= 0; i--) {
    if (isNumber(each.y[i])) return { x: each.x[i], y: each.y[i] };
  }
  return null;
}

/** One sentence for who cannot see the plot: last and lowest value of each of the first curves. */
export function summary(spec) {
  const parts = spec.series.slice(0, 5).map((each) => {
    const last = lastPoint(each);
    if (!last) return `${each.name}: no values`;
    const [low, high] = extent([each.y]);
    return `${each.name}: last ${format(last.y)}, lowest ${format(low)}, highest ${format(high)}`;
  });
  const rest = spec.series.length > 5 ? `, and ${spec.series.length - 5} more` : "";
  return `${spec.title || "Plot"}. ${parts.join("; ") || "no values yet"}${rest}.`;
}
