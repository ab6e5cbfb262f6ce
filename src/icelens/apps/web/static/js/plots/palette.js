// Colours of plots: five that the colour-blind can tell apart, for the screen's theme and for print.

const PRINT = {
  lines: ["#0067a6", "#c75000", "#00805e", "#a8488a", "#7a6400"],
  ink: "#1f2328",
  muted: "#59636e",
  grid: "#e3e6ea",
  surface: "#ffffff",
};
const DASHES = [[], [7, 4], [2, 3]];
export const MOST_COLOURS = PRINT.lines.length;

/** The colours of the theme that an element is shown in, as `tokens.css` names them. */
export function screenPalette(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    lines: PRINT.lines.map((colour, i) => read(`--plot-${i + 1}`, colour)),
    ink: read("--text", PRINT.ink),
    muted: read("--muted", PRINT.muted),
    grid: read("--line", PRINT.grid),
    surface: read("--surface", PRINT.surface),
  };
}

/** The colours of exported files: dark on white. */
export function printPalette() {
  return PRINT;
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
