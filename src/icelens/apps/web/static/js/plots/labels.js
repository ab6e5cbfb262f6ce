// Marks (thresholds) and direct labels of lines, placed so that they do not cover each other.

const LINE_HEIGHT = 15;
export const MOST_DIRECT = 3;
const LONGEST_LABEL = 22;

/** A name that fits beside a line. */
export function shortened(text, longest = LONGEST_LABEL) {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** Labels of line ends moved apart: `[{y, ...}]` in pixels, kept between top and bottom. */
export function spread(labels, top, bottom) {
  const sorted = labels.map((label) => ({ ...label })).sort((a, b) => a.y - b.y);
  let next = top;
  for (const label of sorted) {
    label.y = Math.max(label.y, next);
    next = label.y + LINE_HEIGHT;
  }
  let last = bottom;
  for (const label of sorted.reverse()) {
    label.y = Math.min(label.y, last);
    last = label.y - LINE_HEIGHT;
  }
  return sorted;
}

/** The last value of each column between two x, `[{index, y}]`, of those that have one. */
export function lineEnds(xs, columns, low, high) {
  const ends = [];
  columns.forEach((column, index) => {
    for (let i = column.length - 1; i >= 0; i--) {
      if (xs[i] < low || xs[i] > high || typeof column[i] !== "number") continue;
      ends.push({ index, y: column[i] });
      return;
    }
  });
  return ends;
}
