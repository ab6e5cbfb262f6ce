// A sheet of particle images with a line below each, and a scale bar; the same for screen, PNG and SVG.
import { tokens } from "../tokens.js";

const FOOT = 16;
const GAP = 4;

/** Places of images in a width: {across, down, cell, width, height}. */
export function layout(count, side, width) {
  const cell = side + GAP, across = Math.max(1, Math.floor((width - GAP) / cell));
  const down = Math.max(1, Math.ceil(count / across));
  return { across, down, cell, width: Math.max(width, cell + GAP), height: down * (cell + FOOT) + GAP };
}

/** A side a little above the wanted one, with which rows fill a width. */
export function filling(side, width) {
  const { across } = layout(1, side, width);
  return Math.max(side, Math.floor((width - GAP) / across) - GAP);
}

/** Pictures (canvas each) of grey values `(image, side, side)`. */
export function pictures(grey, count, side) {
  return Array.from({ length: count }, (_, place) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const image = new ImageData(side, side), pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (grey[place * side * side + i] * 0x010101);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  });
}

/** Draw a sheet with a pen; `drawn` is the side of an image in px. */
export function drawSheet(pen, sheet, drawn, width) {
  const place = layout(sheet.images.length, drawn, width);
  pen.fill(0, 0, place.width, place.height, "canvas");
  sheet.images.forEach((image, i) => {
    const x = GAP + (i % place.across) * place.cell, y = GAP + Math.floor(i / place.across) * (place.cell + FOOT);
    pen.image(image, x, y, drawn, drawn);
    pen.text(x + drawn / 2, y + drawn + 12, shortened(sheet.captions[i], drawn), { anchor: "middle" });
  });
  if (sheet.images.length && sheet.pixelSize > 0) drawBar(pen, sheet, drawn);
}

/** Which image lies at a point in px; -1 if none. */
export function imageAt(x, y, count, drawn, width) {
  const { across, cell } = layout(count, drawn, width);
  const column = Math.floor((x - GAP) / cell), row = Math.floor((y - GAP) / (cell + FOOT));
  const place = row * across + column;
  return column >= 0 && column < across && row >= 0 && place < count ? place : -1;
}

function drawBar(pen, { boxSize, pixelSize }, drawn) {
  const field = boxSize * pixelSize, wanted = 0.4 * field, power = 10 ** Math.floor(Math.log10(wanted));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= wanted) ?? power;
  const px = (length / field) * drawn, y = GAP + drawn - 5;
  pen.fill(GAP + 2, y - 16, Math.max(px, 44) + 8, 20, "canvas");
  pen.line(GAP + 6, y, GAP + 6 + px, y, "ink", 2);
  pen.text(GAP + 6, y - 4, length < 1000 ? `${length} Å` : `${length / 10} nm`);
}

const shortened = (text, drawn) => {
  const most = Math.max(4, Math.floor(drawn / 6.5));
  return text.length > most ? `…${text.slice(1 - most)}` : text;
};

/** Colours of sheets: dark in both themes, as images are grey. */
export const sheetColours = () => tokens({ canvas: "canvas", ground: "canvas", ink: "canvas-text", muted: "canvas-muted" });
