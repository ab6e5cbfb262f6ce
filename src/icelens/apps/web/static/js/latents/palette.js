// Colours of values: an even scale for amounts (viridis), ten colours that the colour-blind tell apart for classes.

// viridis of matplotlib (CC0) at every tenth
const ANCHORS = [
  [68, 1, 84], [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140],
  [34, 168, 132], [68, 191, 112], [122, 209, 81], [189, 223, 38], [253, 231, 37],
];

// Okabe and Ito's, then three more that differ from them in lightness
export const CLASS_COLOURS = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178],
  [213, 94, 0], [204, 121, 167], [136, 34, 85], [153, 221, 255], [122, 85, 40],
];
export const OTHERS = [140, 140, 140];

/** Colour [r, g, b] of a share from 0 to 1. */
export function viridis(share) {
  const place = Math.min(Math.max(share, 0), 1) * (ANCHORS.length - 1);
  const first = Math.min(Math.floor(place), ANCHORS.length - 2);
  const rest = place - first;
  return ANCHORS[first].map((value, i) => Math.round(value + rest * (ANCHORS[first + 1][i] - value)));
}

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

export const css = ([r, g, b]) => `rgb(${r}, ${g}, ${b})`;
