// What the viewers remember between visits: contrast, slab, panel; per browser, never on the server.

const PREFIX = "icelens.slices.";

/** A remembered value, or what is given where there is none or it cannot be read. */
export function remembered(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** Remember a value; a browser that refuses only forgets. */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // private windows and full stores: nothing is lost but the habit
  }
}

/** Contrast as it was left: percent clipped and inversion stay, brightness and gain begin anew. */
export function rememberedContrast() {
  const { clip, isInverted } = remembered("contrast", {});
  const isUsable = Number.isFinite(clip) && clip >= 0 && clip <= 20;
  return { clip: isUsable ? clip : 1, isInverted: isInverted === true, shift: 0, gain: 1 };
}
