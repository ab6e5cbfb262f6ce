// Ticks of an axis, and a frame with titles that is drawn alike on a canvas and into an SVG.

/** Round numbers within a range, about `wanted` of them. */
export function ticks(low, high, wanted = 6) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * span && found.length < 50; n++) found.push(n * step);
  return found.map((value) => (Math.abs(value) < 1e-12 * span ? 0 : value));
}

/** A number with the digits that tell it from its neighbours a step away. */
export function shortNumber(value, step = 0) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3 && !(step >= 1e-3))) return value.toExponential(1).replace("e+", "e");
  if (step > 0) return value.toFixed(Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
  return String(Number(value.toPrecision(4)));
}

/** Title of an axis: label, and the unit in brackets. */
export const axisTitle = ({ label, unit }) => (unit ? `${label} (${unit})` : label);

/** Values between two percentiles, of a sample if there are very many; [low, high] never the same. */
export function percentiles(values, low, high) {
  const step = Math.max(1, Math.floor(values.length / 200000));
  const some = new Float32Array(Math.ceil(values.length / step));
  let kept = 0;
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) some[kept++] = values[i];
  if (!kept) return [0, 1];
  const sorted = some.subarray(0, kept).sort();
  const at = (percent) => sorted[Math.min(kept - 1, Math.max(0, Math.round((percent / 100) * (kept - 1))))];
  return widened(at(low), at(high));
}

/** A range that has a width. */
export function widened(low, high) {
  if (high > low) return [low, high];
  const half = Math.max(0.5, Math.abs(low) * 1e-3);
  return [low - half, low + half];
}

/**
 * Draw ticks, grid, frame and titles with a pen (see pens.js).
 *
 * box: {left, top, width, height} of the plot in px; view: {x0, x1, y0, y1}; titles: {x, y};
 * values: {x, y} labels of classes in place of numbers, or null.
 */
export function drawFrame(pen, box, view, titles, values = {}) {
  const { left, top, width, height } = box;
  const right = left + width, bottom = top + height;
  for (const { at, text } of named(view.x0, view.x1, Math.max(2, width / 90), values.x)) {
    const x = left + ((at - view.x0) / (view.x1 - view.x0)) * width;
    pen.line(x, bottom, x, bottom + 4, "ink");
    pen.text(x, bottom + 16, text, { anchor: "middle" });
  }
  for (const { at, text } of named(view.y0, view.y1, Math.max(2, height / 60), values.y)) {
    const y = bottom - ((at - view.y0) / (view.y1 - view.y0)) * height;
    pen.line(left - 4, y, left, y, "ink");
    pen.text(left - 7, y + 4, text, { anchor: "end" });
  }
  pen.rect(left, top, width, height, "ink");
  pen.text(left + width / 2, bottom + 34, titles.x, { anchor: "middle", isTitle: true });
  pen.text(left - 52, top + height / 2, titles.y, { anchor: "middle", isTitle: true, turned: true });
}

function named(low, high, wanted, labels) {
  const found = ticks(low, high, wanted);
  const step = found.length > 1 ? found[1] - found[0] : 0;
  if (!labels) return found.map((at) => ({ at, text: shortNumber(at, step) }));
  return labels
    .map((text, at) => ({ at, text: text.length > 14 ? `${text.slice(0, 13)}…` : text }))
    .filter(({ at }) => at >= low && at <= high && at % Math.max(1, Math.ceil((high - low) / wanted)) === 0);
}
