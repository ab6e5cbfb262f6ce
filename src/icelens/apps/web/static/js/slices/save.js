// The shown plane as PNG or SVG with its scale bar, and as a table of raw values.

import { download, downloadFrom, pngOf, xmlText } from "../downloads.js";
import { PLANES, pixel } from "./geometry.js";
import { drawScaleBar, scaleBar } from "./draw.js";

const LEAST_SIDE = 512;

/** Name of what is saved, without suffix: file, plane, index. */
function planeName(pane) {
  const stem = pane.volume.header.name.replace(/\.(mrc|rec|map|st|ali|tiff?|zarr|gz)+$/i, "");
  return `${stem}_${PLANES[pane.axis].name}_${pane.shown.index}${pane.isSpectrum ? "_power" : ""}`;
}

/** The plane's own pixels, enlarged by a whole number where they are few. */
function picture(pane) {
  const { canvas } = pane.image;
  const factor = Math.max(1, Math.ceil(LEAST_SIDE / Math.max(canvas.width, canvas.height)));
  const drawn = document.createElement("canvas");
  drawn.width = canvas.width * factor;
  drawn.height = canvas.height * factor;
  const context = drawn.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, drawn.width, drawn.height);
  const zoom = factor / (pane.plane.bin * pixel(pane.volume.header));
  return { drawn, context, zoom };
}

function unitOf(pane) {
  return pane.volume.header.pixel_size ? "Å" : "px";
}

/** Save the plane of a pane as a PNG with a scale bar (a spectrum has none). */
export async function savePng(pane) {
  const { drawn, context, zoom } = picture(pane);
  if (!pane.isSpectrum) drawScaleBar(context, drawn, zoom, unitOf(pane));
  download(await pngOf(drawn), `${planeName(pane)}.png`);
}

/** Save it as SVG: the picture inside, scale bar and words as vectors. */
export function saveSvg(pane) {
  const { drawn, zoom } = picture(pane);
  const { width, height } = drawn;
  const bar = scaleBar(width, zoom, unitOf(pane));
  const y = height - 14;
  const marks = pane.isSpectrum ? "" : [
    `<rect x="14" y="${y - 4}" width="${bar.px.toFixed(2)}" height="5" fill="white" stroke="black" stroke-width="0.75"/>`,
    `<text x="14" y="${y - 10}" font-family="sans-serif" font-size="16" fill="white" stroke="black"`,
    ` stroke-width="3" paint-order="stroke" stroke-linejoin="round">${bar.label}</text>`,
  ].join("");
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${xmlText(planeName(pane))}</title>`,
    `<image width="${width}" height="${height}" href="${drawn.toDataURL("image/png")}"/>`,
    marks,
    "</svg>",
  ].join("");
  download(svg, `${planeName(pane)}.svg`, "image/svg+xml");
}

/** Save the raw values as CSV; the server writes them. */
export function saveCsv(pane) {
  const { file, axis, index, slab } = pane.shown;
  const query = new URLSearchParams({ file, axis, index, slab });
  downloadFrom(`/api/volumes/plane.csv?${query}`, `${planeName(pane)}.csv`);
}
