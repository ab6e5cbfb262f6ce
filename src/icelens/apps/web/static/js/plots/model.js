// What a plot shows, before it is drawn: columns over one x, the look of each line, ranges of both axes.
import { aligned, extent, hasPositive, positive, smoothed } from "./columns.js";
import { MOST_DIRECT } from "./labels.js";
import { xRange, yRange } from "./scales.js";

/**
 * Lay out curves for a state of the switches.
 *
 * @param spec what `drawCurves` was given
 * @param state `{isLog, isSmooth, hidden: Set of names}`
 * @returns `{xs, lines: [{name, index, column, isFaint, isHidden, dashed, colour}], x, y, isDirect}`
 */
export function modelOf(spec, state) {
  const [xs, ...columns] = aligned(spec.series);
  const isLog = state.isLog && hasPositive(spec.series);
  const y = { ...spec.y, scale: isLog ? "log" : "linear" };
  if (isLog) delete y.range;
  const fit = isLog ? positive : (column) => column;
  const lines = [];
  spec.series.forEach((series, index) => {
    const base = { ...series, index, isHidden: state.hidden.has(series.name) };
    const raw = fit(columns[index]);
    const isSmoothed = state.isSmooth && !series.isPlain;
    if (isSmoothed) lines.push({ ...base, column: raw, isFaint: true });
    lines.push({ ...base, column: isSmoothed ? smoothed(raw) : raw, isFaint: false });
  });
  return { xs, lines, x: spec.x || { label: "" }, y, marks: spec.marks || [], isDirect: isDirect(spec) };
}

/** Whether lines are named at their ends: where there are two or three. */
export function isDirect(spec) {
  return spec.series.length > 1 && spec.series.length <= MOST_DIRECT;
}

/** Ranges of a model's axes when all of it is shown, or between two x. */
export function rangesOf(model, window) {
  const [low, high] = window || extent([model.xs]) || [NaN, NaN];
  const shown = model.lines.filter((line) => !line.isHidden);
  const inside = shown.map((line) => line.column.filter((_, i) => model.xs[i] >= low && model.xs[i] <= high));
  const marks = model.marks.filter((mark) => mark.y !== undefined && (model.y.scale !== "log" || mark.y > 0));
  const [bottom, top] = extent([...inside, marks.map((mark) => mark.y)]) || [NaN, NaN];
  return { x: window || xRange(model.x, low, high), y: yRange(model.y, bottom, top) };
}
