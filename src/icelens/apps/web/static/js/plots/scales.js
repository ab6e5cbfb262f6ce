// Ranges, ticks and labels of both axes of a plot; screen and exported file share them.
import { format, linearTicks, logTicks, resolutionLabel, resolutionTicks, tickLabels } from "./numbers.js";

const POWERS = { resolution: 1, "square-resolution": 2 };

/** Title of an axis: label and unit. */
export function axisTitle(axis) {
  return axis.unit ? `${axis.label} (${axis.unit})` : axis.label || "";
}

/** Ticks and their labels between two values of an axis that is `pixels` long. */
export function ticksOf(axis, low, high, pixels, isUpright) {
  const gap = isUpright ? 34 : 64;
  const count = Math.max(2, Math.floor(pixels / gap));
  const power = POWERS[axis.scale];
  if (power) {
    const ticks = resolutionTicks(low, high, power, 46 / pixels);
    return { ticks, labels: ticks.map((tick) => resolutionLabel(tick, power)) };
  }
  if (axis.scale === "log") {
    const ticks = logTicks(low, high, count);
    const isFar = ticks.some((tick) => tick < 1e-3 || tick >= 1e5);
    return { ticks, labels: ticks.map((tick) => (isFar ? tick.toExponential(0).replace("e+", "e") : format(tick, 3))) };
  }
  const whole = axis.isWhole ? (tick) => Number.isInteger(tick) : () => true;
  const ticks = linearTicks(low, high, count).filter(whole);
  return { ticks, labels: tickLabels(ticks) };
}

/** A value of an axis as the readout says it: resolutions in Å, others with their label. */
export function placeText(axis, value) {
  const power = POWERS[axis.scale];
  if (power) return value > 0 ? `${resolutionLabel(value, power)} Å` : "∞ Å";
  const unit = axis.unit ? ` ${axis.unit}` : "";
  return `${axis.label ? `${axis.label} ` : ""}${format(value, 5)}${unit}`;
}

/** Range of the y axis: the given one, or that of the values with a margin. */
export function yRange(axis, low, high) {
  if (axis.range) return axis.range;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return axis.scale === "log" ? [1, 10] : [0, 1];
  if (axis.scale === "log") {
    const margin = Math.max(1.05, (high / low) ** 0.05);
    return [low / margin, high * margin];
  }
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - margin, high + margin];
}

/** Range of the x axis: that of its values, never empty. */
export function xRange(axis, low, high) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (axis.scale === "log") return low < high ? [low, high] : [low / 2, high * 2];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}
