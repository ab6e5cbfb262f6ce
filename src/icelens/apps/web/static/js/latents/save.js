// Save what is drawn: PNG, SVG with vector axes, CSV of the particles; made here, nothing is asked of the server.
import { canvasPen, svgPen } from "./pens.js";

/** Hand a file to the browser's downloads. */
export function download(content, name, type) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** The plot and what lies over it as PNG, twice as fine as on the screen. */
export function savePng(scatter, overlay, name) {
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
  canvas.toBlob((blob) => download(blob, `${name}.png`), "image/png");
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
  const lines = [columns.map(({ name }) => quoted(name)).join(",")];
  for (let i = 0; i < count; i++) {
    if (marks && !marks[i]) continue;
    lines.push(columns.map(({ values, labels }) => (labels ? quoted(labels[values[i]] ?? "") : number(values[i]))).join(","));
  }
  return `${lines.join("\n")}\n`;
}

const number = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "");
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
