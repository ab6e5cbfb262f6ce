// Save what is drawn: PNG, SVG with vector axes, CSV of the particles; made here, nothing is asked of the server.
import { csvCell, download, pngOf } from "../downloads.js";
import { canvasPen, svgPen } from "./pens.js";

/** The plot and what lies over it as PNG, twice as fine as on the screen. */
export async function savePng(scatter, overlay, name) {
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  canvas.width = 2 * scatter.width;
  canvas.height = 2 * scatter.height;
  context.scale(2, 2);
  const colours = { ...overlay.colours(), ...scatter.colours() };
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, scatter.width, scatter.height);
  const pen = canvasPen(context, colours);
  scatter.drawWith(pen);
  overlay.drawWith(pen);
  download(await pngOf(canvas), `${name}.png`);
}

/** The same as SVG: axes and marks as lines and text, the density as an embedded picture. */
export function svgOf(scatter, overlay) {
  const pen = svgPen(scatter.width, scatter.height, { ...overlay.colours(), ...scatter.colours() });
  scatter.drawWith(pen);
  overlay.drawWith(pen);
  return pen.finish();
}

/** Lines of a CSV, for the selected particles or for all; columns are {name, values, labels?}. */
export function csvOf(columns, marks, count) {
  const lines = [columns.map(({ name }) => csvCell(name)).join(",")];
  for (let i = 0; i < count; i++) {
    if (marks && !marks[i]) continue;
    lines.push(columns.map(({ values, labels }) => (labels ? csvCell(labels[values[i]] ?? "") : number(values[i]))).join(","));
  }
  return `${lines.join("\n")}\n`;
}

const number = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "");
