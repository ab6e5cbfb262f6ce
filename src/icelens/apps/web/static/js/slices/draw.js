// What is drawn over a plane: crosshair, scale bar, names of axes, resolution rings.

import { imageInks } from "../tokens.js";
import { PLANES, lengthText, roundLength, toScreen } from "./geometry.js";

const FONT = "12px system-ui, sans-serif";
const RESOLUTIONS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500];

/** White letters with a dark rim: readable on any grey. */
function outlined(context, text, x, y, align = "left") {
  context.font = FONT;
  context.textAlign = align;
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = imageInks().rim;
  context.fillStyle = imageInks().ink;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** Lines through the position that all panes share. */
export function drawCrosshair(context, view, axis, size) {
  const { x, y } = toScreen(view, axis, size, view.position);
  const gap = 9;
  context.beginPath();
  for (const [from, to] of [[0, x - gap], [x + gap, size.width]]) {
    if (to > from) {
      context.moveTo(from, Math.round(y) + 0.5);
      context.lineTo(to, Math.round(y) + 0.5);
    }
  }
  for (const [from, to] of [[0, y - gap], [y + gap, size.height]]) {
    if (to > from) {
      context.moveTo(Math.round(x) + 0.5, from);
      context.lineTo(Math.round(x) + 0.5, to);
    }
  }
  context.lineWidth = 1;
  context.strokeStyle = imageInks().cross;
  context.stroke();
}

/** Length and label of the bar for a picture so many px wide. */
export function scaleBar(width, zoom, unit) {
  const length = roundLength((0.28 * width) / zoom);
  return { px: length * zoom, label: lengthText(length, unit) };
}

/** The scale bar at the lower left. */
export function drawScaleBar(context, size, zoom, unit) {
  const { px, label } = scaleBar(size.width, zoom, unit);
  const y = size.height - 12;
  context.fillStyle = imageInks().rim;
  context.fillRect(11, y - 4, px + 2, 6);
  context.fillStyle = imageInks().ink;
  context.fillRect(12, y - 3, px, 4);
  outlined(context, label, 12, y - 9);
}

/** Name of the plane, and where it lies. */
export function drawPlaneName(context, axis, text) {
  outlined(context, `${PLANES[axis].name} · ${text}`, 10, 18);
}

/** Resolutions (Å) whose rings are far enough apart, with their radii in px of the screen. */
export function resolutionRings(pixelSize, radius) {
  const rings = [{ resolution: 2 * pixelSize, radius }];
  for (const resolution of RESOLUTIONS) {
    const at = ((2 * pixelSize) / resolution) * radius;
    if (at < rings.at(-1).radius - 30 && at > 14) rings.push({ resolution, radius: at });
  }
  return rings;
}

/** Rings about the middle of a spectrum, labelled in Å. */
export function drawRings(context, size, side, pixelSize, unit) {
  const centre = { x: size.width / 2, y: size.height / 2 };
  for (const ring of resolutionRings(pixelSize, side / 2)) {
    context.beginPath();
    context.arc(centre.x, centre.y, ring.radius, 0, 2 * Math.PI);
    context.setLineDash([3, 4]);
    context.lineWidth = 1;
    context.strokeStyle = imageInks().ring;
    context.stroke();
    context.setLineDash([]);
    const label = `${Number(ring.resolution.toPrecision(3))} ${unit}`;
    const at = ring.radius * Math.SQRT1_2;
    outlined(context, label, centre.x + at + 3, centre.y - at - 3);
  }
}
