// Colours of tokens.css for what is drawn on canvases.

/** Values of tokens by names of one's own, as `{ ink: "text" }`, in the theme of an element. */
export function tokens(names, element = document.documentElement) {
  const style = getComputedStyle(element);
  const value = (token) => style.getPropertyValue(`--${token}`).trim();
  return Object.fromEntries(Object.entries(names).map(([name, token]) => [name, value(token)]));
}

let overImage = null;

/** Colours of what lies over grey images; the same in both themes, so read once. */
export function imageInks() {
  overImage ??= tokens({ ink: "over-image", rim: "over-image-rim", cross: "crosshair", ring: "resolution-ring" });
  return overImage;
}

/** What a function reads of styles while the page is in the light theme, as files are saved. */
export function inLightTheme(read) {
  const { dataset } = document.documentElement;
  const { theme } = dataset;
  dataset.theme = "light";
  try {
    return read();
  } finally {
    dataset.theme = theme;
  }
}
