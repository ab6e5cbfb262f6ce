// Numbers as plots write them, and round ticks for linear, logarithmic and resolution axes.

/** A number with the digits it deserves; a dash where there is none. */
export function format(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 2).replace("e+", "e").replace(/\.?0+e/, "e");
  if (Number.isInteger(value)) return String(value);
  const text = value.toPrecision(digits);
  return text.includes("e") ? String(Math.round(value)) : text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** Ticks at multiples of 1, 2 or 5 times a power of ten, about `count` of them. */
export function linearTicks(low, high, count) {
  const step = niceStep((high - low) / Math.max(1, count));
  if (!(step > 0)) return [low];
  const ticks = [];
  const last = Math.floor(high / step + 1e-9);
  for (let i = Math.ceil(low / step - 1e-9); i <= last && ticks.length < 100; i++) ticks.push(i * step);
  return ticks;
}

/** Labels of ticks, all with the decimals that their distance asks for. */
export function tickLabels(ticks) {
  if (ticks.length < 2) return ticks.map((tick) => format(tick));
  const step = Math.abs(ticks[1] - ticks[0]);
  const largest = Math.max(...ticks.map(Math.abs));
  if (largest >= 1e6 || step < 1e-4) return ticks.map((tick) => format(tick, 3));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return ticks.map((tick) => tick.toFixed(decimals));
}

function niceStep(rough) {
  if (!(rough > 0) || !Number.isFinite(rough)) return NaN;
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return power * (part <= 1.4 ? 1 : part <= 3 ? 2 : part <= 7 ? 5 : 10);
}

/** Ticks 1, 2, 5, 10 ... between two positive bounds, thinned to about `count`. */
export function logTicks(low, high, count) {
  if (!(low > 0) || !(high > low)) return [low];
  const decades = Math.log10(high / low);
  const parts = decades * 3 <= count * 1.2 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil((decades * parts.length) / Math.max(1, count * 1.2)));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % stride !== 0) continue;
    for (const part of parts) {
      const tick = part * 10 ** power;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, count);
}

const ROUND_RESOLUTIONS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/**
 * Ticks of an axis of 1/d (power 1) or 1/d² (power 2) at round resolutions, finest first, so that
 * neighbours are at least `gap` of the axis apart.
 */
export function resolutionTicks(low, high, power, gap) {
  const ticks = [];
  const wide = (high - low) * gap;
  for (let decade = -1; decade <= 4; decade++) {
    for (const part of ROUND_RESOLUTIONS) {
      const tick = (part * 10 ** decade) ** -power;
      const isInside = tick >= low && tick <= high * (1 + 1e-9);
      if (isInside && (!ticks.length || ticks[ticks.length - 1] - tick >= wide)) ticks.push(tick);
    }
  }
  return ticks.reverse();
}

/** The resolution in Å at a place of such an axis; empty at its origin. */
export function resolutionLabel(place, power) {
  return place > 0 ? format(place ** (-1 / power), 3) : "";
}
