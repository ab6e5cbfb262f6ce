// Times, sizes and numbers with the digits they deserve, as the server writes them.
const UNITS = [[60, "min", 3600], [3600, "h", 86400], [86400, "d", 7 * 86400]];

/** A moment (ms since 1970) as `4 min ago`. */
export function ago(moment, now = Date.now()) {
  const seconds = (now - moment) / 1000;
  if (seconds < 45) return "just now";
  for (const [length, unit, limit] of UNITS) {
    if (seconds < limit) return `${Math.max(1, Math.round(seconds / length))} ${unit} ago`;
  }
  return new Date(moment).toLocaleDateString(undefined, { day: "2-digit", month: "short", year: "numeric" });
}

/** A measured time: `1.7 s`, `4 min 10 s`, `2 h 5 min`. */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  const whole = Math.round(seconds / 60);
  return `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** An estimated time, which deserves two digits. */
export function roughDuration(seconds) {
  if (seconds < 1) return "a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Number((seconds / 3600).toPrecision(2))} h`;
  return `${Number((seconds / 86400).toPrecision(2))} days`;
}

/** A number of bytes. */
export function size(bytes) {
  let count = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (count < 999.5) return `${digits(count)} ${unit}`;
    count /= 1000;
  }
  return `${digits(count)} TB`;
}

/** A number with three digits. */
export function digits(value) {
  return String(Number(value.toPrecision(3)));
}

/** A whole number with a thin space between thousands. */
export function count(value) {
  return value.toLocaleString("en").replaceAll(",", "\u2009");
}
