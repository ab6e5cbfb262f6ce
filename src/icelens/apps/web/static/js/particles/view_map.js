// The distribution of views on a map of the sphere, with its net of degrees and a bar of colours in decades.
import { css, viridis } from "../colour_scale.js";
import { lookupTable } from "../latents/palette.js";

const LATITUDES = [-60, -30, 0, 30, 60];
const LONGITUDES = [-120, -60, 0, 60, 120];
const BAR = 14;

/** Picture of densities relative to even (log scale), and the limits of its colours. */
export function viewPicture(density, [height, width]) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height), table = lookupTable();
  const limits = limitsOf(density);
  const [low, high] = limits.map(Math.log10);
  for (let i = 0; i < density.length; i++) {
    const value = density[i];
    if (value !== value) continue; // off the map
    const share = value > 0 ? Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low))) : 0;
    const at = 3 * Math.round(255 * share);
    image.data.set([table[at], table[at + 1], table[at + 2], 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { canvas, limits };
}

/** From a tenth of even to the most, at least twice even. */
function limitsOf(density) {
  let most = 2;
  for (const value of density) if (value > most) most = value;
  return [0.1, most];
}

/** Where a direction lies on the map, from -1 to 1 across and up; degrees. */
function mollweide(longitude, latitude) {
  const sine = Math.sin((latitude * Math.PI) / 180);
  let theta = (latitude * Math.PI) / 180;
  for (let i = 0; i < 30 && Math.abs(latitude) < 89.9; i++) {
    theta -= (2 * theta + Math.sin(2 * theta) - Math.PI * sine) / (2 + 2 * Math.cos(2 * theta));
  }
  return [(longitude / 180) * Math.cos(theta), Math.abs(latitude) < 89.9 ? Math.sin(theta) : Math.sign(latitude)];
}

/** Draw map, net, labels and bar with a pen. */
export function drawViews(pen, { canvas, limits }, width, height) {
  const wide = Math.min(width - 130, 2 * (height - 50)), high = wide / 2, left = 40, top = 10;
  pen.image(canvas, left, top, wide, high);
  const at = (longitude, latitude) => {
    const [x, y] = mollweide(longitude, latitude);
    return [left + ((x + 1) / 2) * wide, top + ((1 - y) / 2) * high];
  };
  const degrees = Array.from({ length: 61 }, (_, i) => -90 + 3 * i);
  for (const longitude of [-180, ...LONGITUDES, 180]) pen.path(degrees.map((latitude) => at(longitude, latitude)), Math.abs(longitude) === 180 ? "ink" : "net", Math.abs(longitude) === 180 ? 1 : 0.7);
  for (const latitude of LATITUDES) {
    pen.path([at(-180, latitude), at(180, latitude)], "net", 0.7);
    pen.text(at(-180, latitude)[0] - 6, at(-180, latitude)[1] + 4, `${latitude}°`, { anchor: "end" });
  }
  for (const longitude of LONGITUDES) pen.text(at(longitude, 0)[0], top + high / 2 - 4, `${longitude}°`, { anchor: "middle", halo: true });
  pen.text(left + wide / 2, top + high + 22, "rot (°) across, 90° − tilt (°) up; equal areas", { anchor: "middle", isTitle: true });
  drawBar(pen, limits, left + wide + 18, top, high);
}

function drawBar(pen, [low, high], x, top, height) {
  const steps = 64, span = Math.log10(high / low);
  for (let i = 0; i < steps; i++) pen.fill(x, top + height - ((i + 1) / steps) * height, BAR, height / steps + 0.5, css(viridis(i / (steps - 1))));
  for (const value of [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]) {
    if (value < low || value > high) continue;
    const y = top + height - (Math.log10(value / low) / span) * height;
    pen.line(x + BAR, y, x + BAR + 4, y, "ink");
    pen.text(x + BAR + 7, y + 4, value === 1 ? "1 even" : String(value));
  }
}
