// What a plot shows as files: CSV of its values, SVG text, and PNG drawn from that SVG.

import { csvCell, pngOf } from "../downloads.js";

const PNG_SCALE = 2;
const MOST_PNG_SIDE = 16000; // of a canvas in today's browsers
const MOST_PNG_AREA = 1e8;

/** Values as CSV: x, then a column for each curve; empty where it has no value. */
export function csvOf(xs, columns, names) {
  const rows = [names.map(csvCell).join(",")];
  xs.forEach((x, i) => rows.push([x, ...columns.map((column) => column[i] ?? "")].join(",")));
  return `${rows.join("\n")}\n`;
}

/** A file's name of plain letters, from a title. */
export function fileName(title, ending) {
  const plain = title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return `${plain.slice(0, 60) || "plot"}.${ending}`;
}

/** The PNG of an SVG, twice its size, or as large as a canvas can be. */
export async function pngOfSvg(svg) {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    const { naturalWidth: width, naturalHeight: height } = image;
    const scale = Math.min(PNG_SCALE, MOST_PNG_SIDE / Math.max(width, height), Math.sqrt(MOST_PNG_AREA / (width * height)));
    canvas.width = Math.floor(width * scale);
    canvas.height = Math.floor(height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await pngOf(canvas);
  } finally {
    URL.revokeObjectURL(address);
  }
}
