// Colours of a value on a surface, low to high: readable by the colour-blind, the bar that explains them.

import { css, viridis } from "../colour_scale.js";

/** Of surfaces that no value colours: as readable on light grounds as on dark ones. */
export const PLAIN = 0x73a1d1;

/** Colours of all vertices, in the linear light that the renderer counts in. */
export function vertexColours(values, low, high) {
  const table = new Float32Array(256 * 3);
  for (let step = 0; step < 256; step += 1) {
    table.set(viridis(step / 255).map((channel) => linear(channel / 255)), step * 3);
  }
  const colours = new Float32Array(values.length * 3);
  const scale = 255 / (high - low || 1);
  for (let vertex = 0; vertex < values.length; vertex += 1) {
    const step = Math.min(255, Math.max(0, Math.round((values[vertex] - low) * scale)));
    colours.set(table.subarray(step * 3, step * 3 + 3), vertex * 3);
  }
  return colours;
}

function linear(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

/** Paint the colour bar into a canvas, low at the left. */
export function paintBar(canvas) {
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = css(viridis(x / (canvas.width - 1)));
    context.fillRect(x, 0, 1, canvas.height);
  }
}
