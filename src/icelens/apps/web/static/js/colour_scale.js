// Colours of amounts: between the anchors of a scale, and the scale that all viewers share.

// Viridis of matplotlib (Smith, van der Walt, 2015; CC0) at every tenth.
const VIRIDIS = [
  [68, 1, 84], [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140],
  [34, 168, 132], [68, 191, 112], [122, 209, 81], [189, 223, 38], [253, 231, 37],
];

/** Colour [r, g, b], each to 255, at a share from 0 to 1 of evenly spaced anchors. */
export function mixed(anchors, share) {
  const place = Math.min(Math.max(share, 0), 1) * (anchors.length - 1);
  const first = Math.min(Math.floor(place), anchors.length - 2);
  return anchors[first].map((from, i) => Math.round(from + (place - first) * (anchors[first + 1][i] - from)));
}

/** Colour of a share in viridis, dark to bright. */
export const viridis = (share) => mixed(VIRIDIS, share);

/** A colour as style sheets and files have it. */
export const css = ([red, green, blue]) => `rgb(${red}, ${green}, ${blue})`;
