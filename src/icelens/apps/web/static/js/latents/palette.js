// Colours of values: an even scale for amounts (viridis), ten colours that the colour-blind tell apart for classes.

import { viridis } from "../colour_scale.js";

// Okabe and Ito's, then three more that differ from them in lightness
const CLASS_COLOURS = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178],
  [213, 94, 0], [204, 121, 167], [136, 34, 85], [153, 221, 255], [122, 85, 40],
];
const OTHERS = [140, 140, 140];

/** 256 colours, one after the other as r, g, b; `reversed` for light grounds, so that much is dark. */
export function lookupTable(reversed = false) {
  const table = new Uint8Array(768);
  for (let i = 0; i < 256; i++) table.set(viridis(reversed ? 1 - i / 255 : i / 255), 3 * i);
  return table;
}

/** A colour for each class: the ten most frequent get one, all others are grey. */
export function classColours(counts) {
  const order = counts.map((count, place) => place).sort((a, b) => counts[b] - counts[a] || a - b);
  const coloured = order.slice(0, CLASS_COLOURS.length).sort((a, b) => a - b);
  return counts.map((count, place) => {
    const number = coloured.indexOf(place);
    return number < 0 ? OTHERS : CLASS_COLOURS[number];
  });
}
