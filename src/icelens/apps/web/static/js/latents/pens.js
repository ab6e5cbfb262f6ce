// Pens for plots: the same strokes on a canvas, for the screen and PNG, or as text of an SVG.

import { xmlText } from "../downloads.js";

const FONT = "system-ui, sans-serif";

/** A pen on a 2D canvas; colours by name: {ink, muted, accent, ground}. */
export function canvasPen(context, colours) {
  const paint = (name) => colours[name] ?? name;
  return {
    line(x1, y1, x2, y2, colour, width = 1) {
      context.strokeStyle = paint(colour);
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
    },
    path(points, colour, width = 2, isClosed = false) {
      context.strokeStyle = paint(colour);
      context.lineWidth = width;
      context.beginPath();
      points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      if (isClosed) context.closePath();
      context.stroke();
    },
    disc(x, y, radius, colour, edge = null) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = paint(colour);
      context.fill();
      if (!edge) return;
      context.strokeStyle = paint(edge);
      context.lineWidth = 1.5;
      context.stroke();
    },
    rect(x, y, width, height, colour) {
      context.strokeStyle = paint(colour);
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, width, height);
    },
    fill(x, y, width, height, colour) {
      context.fillStyle = paint(colour);
      context.fillRect(x, y, width, height);
    },
    image(canvas, x, y, width, height) {
      context.imageSmoothingEnabled = false;
      context.drawImage(canvas, x, y, width, height);
    },
    text(x, y, words, { anchor = "start", isTitle = false, turned = false, halo = false } = {}) {
      context.save();
      context.translate(x, y);
      if (turned) context.rotate(-Math.PI / 2);
      context.font = `${isTitle ? 13 : 12}px ${FONT}`;
      context.textAlign = anchor === "middle" ? "center" : anchor;
      if (halo) {
        context.strokeStyle = paint("ground");
        context.lineWidth = 3;
        context.lineJoin = "round";
        context.strokeText(words, 0, 0);
      }
      context.fillStyle = paint(isTitle || halo ? "ink" : "muted");
      context.fillText(words, 0, 0);
      context.restore();
    },
  };
}

/** A pen that collects SVG; `finish()` gives the text. */
export function svgPen(width, height, colours) {
  const parts = [];
  const paint = (name) => colours[name] ?? name;
  const number = (value) => Number(value.toFixed(2));
  const points = (list) => list.map(([x, y]) => `${number(x)},${number(y)}`).join(" ");
  return {
    line(x1, y1, x2, y2, colour, wide = 1) {
      parts.push(`<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" stroke="${paint(colour)}" stroke-width="${wide}"/>`);
    },
    path(list, colour, wide = 2, isClosed = false) {
      parts.push(`<${isClosed ? "polygon" : "polyline"} points="${points(list)}" fill="none" stroke="${paint(colour)}" stroke-width="${wide}"/>`);
    },
    disc(x, y, radius, colour, edge = null) {
      const stroke = edge ? ` stroke="${paint(edge)}" stroke-width="1.5"` : "";
      parts.push(`<circle cx="${number(x)}" cy="${number(y)}" r="${radius}" fill="${paint(colour)}"${stroke}/>`);
    },
    rect(x, y, wide, high, colour) {
      parts.push(`<rect x="${number(x)}" y="${number(y)}" width="${number(wide)}" height="${number(high)}" fill="none" stroke="${paint(colour)}"/>`);
    },
    fill(x, y, wide, high, colour) {
      parts.push(`<rect x="${number(x)}" y="${number(y)}" width="${number(wide)}" height="${number(high)}" fill="${paint(colour)}"/>`);
    },
    image(canvas, x, y, wide, high) {
      parts.push(`<image x="${number(x)}" y="${number(y)}" width="${number(wide)}" height="${number(high)}" preserveAspectRatio="none" image-rendering="pixelated" href="${canvas.toDataURL("image/png")}"/>`);
    },
    text(x, y, words, { anchor = "start", isTitle = false, turned = false, halo = false } = {}) {
      const place = turned ? ` transform="rotate(-90 ${number(x)} ${number(y)})"` : "";
      const edge = halo ? ` paint-order="stroke" stroke="${paint("ground")}" stroke-width="3"` : "";
      parts.push(`<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}" font-size="${isTitle ? 13 : 12}" fill="${paint(isTitle || halo ? "ink" : "muted")}"${edge}${place}>${xmlText(words)}</text>`);
    },
    finish() {
      return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">\n<rect width="100%" height="100%" fill="${paint("ground")}"/>\n${parts.join("\n")}\n</svg>\n`;
    },
  };
}
