// A curve as small as a word, for cards and tables.
import { extent } from "./columns.js";
import { format } from "./numbers.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, EDGE] = [120, 28, 2];

/** Draw values into an element; a label such as `loss` goes before the last value in its description. */
export function sparkline(element, values, label) {
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sparkline", role: "img", preserveAspectRatio: "none" });
  const range = extent([values]);
  const last = values.findLast((value) => Number.isFinite(value));
  svg.setAttribute("aria-label", range ? `${label}: last ${format(last)}, lowest ${format(range[0])}` : `${label}: no values`);
  if (range) {
    const path = node("path", { d: sparkPath(values, range), class: "sparkline-line", "vector-effect": "non-scaling-stroke" });
    svg.append(path);
  }
  element.replaceChildren(svg);
}

/** The path of values in the small frame; gaps stay gaps. */
function sparkPath(values, [low, high]) {
  const across = (WIDTH - 2 * EDGE) / Math.max(1, values.length - 1);
  const up = (HEIGHT - 2 * EDGE) / (high - low || 1);
  let d = "";
  let isOpen = false;
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) {
      isOpen = false;
      return;
    }
    const y = high === low ? HEIGHT / 2 : EDGE + (high - value) * up;
    d += `${isOpen ? "L" : "M"}${(EDGE + i * across).toFixed(1)} ${y.toFixed(1)}`;
    isOpen = true;
  });
  return d;
}

function node(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
