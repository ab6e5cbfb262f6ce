// Colours of plots: five that the colour-blind can tell apart, for the screen's theme and for print.

import { inLightTheme, tokens } from "../tokens.js";

const LINES = [1, 2, 3, 4, 5];
const DASHES = [[], [7, 4], [2, 3]];
export const MOST_COLOURS = LINES.length;

/** The colours of the theme that an element is shown in, as `tokens.css` names them. */
export function screenPalette(element) {
  const lines = Object.values(tokens(LINES.map((number) => `plot-${number}`), element));
  return { lines, ...tokens({ ink: "text", muted: "muted", grid: "line", surface: "surface" }, element) };
}

/** The colours of exported files: dark on white. */
export function printPalette() {
  return inLightTheme(() => screenPalette(document.documentElement));
}

/** Colour and dashes of the n-th line: five colours, then the same ones dashed, then dotted. */
export function lineLook(palette, series, index) {
  const number = Number.isInteger(series.colour) ? series.colour : index;
  const round = Math.floor(number / MOST_COLOURS) % DASHES.length;
  return {
    colour: palette.lines[number % MOST_COLOURS],
    dash: series.dashed ? DASHES[1] : DASHES[round],
  };
}

/** The same colour, faint: for raw values behind smoothed ones. */
export function faint(colour) {
  return /^#[0-9a-f]{6}$/i.test(colour) ? `${colour}4d` : colour;
}
