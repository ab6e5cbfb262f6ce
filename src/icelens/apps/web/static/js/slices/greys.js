// Contrast: from percentiles to a lookup table that turns 16-bit codes into pixels.

const HIGHEST_CODE = 65535;

/** The value at a percentile (0 to 100), linear between those that the server told. */
export function valueAtPercent(header, percent) {
  const { percents, quantiles } = header;
  if (quantiles.length === 0) return 0;
  const next = percents.findIndex((each) => each >= percent);
  if (next < 0) return quantiles.at(-1);
  if (next === 0) return quantiles[0];
  const share = (percent - percents[next - 1]) / (percents[next] - percents[next - 1]);
  return quantiles[next - 1] + share * (quantiles[next] - quantiles[next - 1]);
}

/**
 * The values drawn black and white.
 *
 * contrast: clip (percent of the voxels at each end that may be black or white), shift (brightness,
 * in widths of the window) and gain (narrows the window).
 */
export function windowOf(header, contrast) {
  const low = valueAtPercent(header, contrast.clip);
  const high = valueAtPercent(header, 100 - contrast.clip);
  const width = high - low || Math.abs(high) || 1;
  const half = width / contrast.gain / 2;
  const middle = (low + high) / 2 - contrast.shift * width;
  return { low: middle - half, high: middle + half };
}

/** The value that a code stands for; NaN for code 0. */
export function decoded(code, low, high) {
  if (code === 0) return Number.NaN;
  return low + ((code - 1) / (HIGHEST_CODE - 1)) * (high - low);
}

/** Pixels (RGBA, little endian) for all codes; voxels without a value are transparent. */
export function lookupTable(range, shown, isInverted) {
  const table = new Uint32Array(HIGHEST_CODE + 1);
  const scale = 255 / (shown.high - shown.low || 1);
  const step = (range.high - range.low) / (HIGHEST_CODE - 1);
  for (let code = 1; code <= HIGHEST_CODE; code += 1) {
    const grey = (range.low + (code - 1) * step - shown.low) * scale;
    let level = grey < 0 ? 0 : grey > 255 ? 255 : Math.round(grey);
    if (isInverted) level = 255 - level;
    table[code] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  return table;
}

/** The window of a spectrum, by percentiles of its own codes: its peak must not set the scale. */
export function spectrumWindow(plane) {
  const counts = new Uint32Array(1024);
  let total = 0;
  for (let index = 0; index < plane.codes.length; index += 7) {
    counts[plane.codes[index] >> 6] += 1;
    total += 1;
  }
  const at = (share) => {
    let sum = 0;
    for (let bin = 0; bin < counts.length; bin += 1) {
      sum += counts[bin];
      if (sum >= share * total) return decoded((bin << 6) + 32, plane.low, plane.high);
    }
    return plane.high;
  };
  return { low: at(0.03), high: at(0.998) };
}
