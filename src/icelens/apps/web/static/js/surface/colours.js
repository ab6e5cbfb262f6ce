// Colours of a value on a surface, low to high: readable by the colour-blind, the bar that explains them.

// Anchors of viridis (Smith, van der Walt, 2015; CC0).
const RAMP = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];
export const PLAIN = 0x73a1d1;

/** Red, green, blue from 0 to 1 of a value between low and high. */
export function colourOf(value, low, high) {
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
  const place = share * (RAMP.length - 1);
  const first = Math.min(RAMP.length - 2, Math.floor(place));
  return RAMP[first].map((from, each) => (from + (RAMP[first + 1][each] - from) * (place - first)) / 255);
}

/** Colours of all vertices, in the linear light that the renderer counts in. */
export function vertexColours(values, low, high) {
  const table = new Float32Array(256 * 3);
  for (let step = 0; step < 256; step += 1) {
    table.set(colourOf(low + (step / 255) * (high - low || 1), low, high).map(linear), step * 3);
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
    const [red, green, blue] = colourOf(x, 0, canvas.width - 1).map((part) => Math.round(part * 255));
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
}
