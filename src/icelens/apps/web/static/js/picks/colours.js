// Colours of classes on grey pictures: Okabe and Ito's, bright ones first; dashes when they run out.

import { css, mixed } from "../colour_scale.js";

const COLOURS = ["#56b4e9", "#ff7f50", "#20c997", "#f0e442", "#e58cc0", "#a7b8ff", "#ffffff", "#e69f00"];
const DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3]];
// Low to high, as viridis goes; brightened at its dark end to show on dark pictures.
const RAMP = [[108, 92, 190], [70, 120, 200], [38, 160, 170], [70, 200, 120], [170, 220, 60], [253, 231, 60]];

/** Colour and dash pattern of the class with a number. */
export function styleOf(number) {
  return {
    colour: COLOURS[number % COLOURS.length],
    dash: DASHES[Math.floor(number / COLOURS.length) % DASHES.length],
  };
}

/** Colour of a score between low and high. */
export function scoreColour(score, low, high) {
  const share = high > low ? (score - low) / (high - low) : 1;
  return css(mixed(RAMP, share));
}
