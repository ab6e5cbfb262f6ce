// Times and sizes with the digits they deserve.
export function duration(seconds) {
  if (seconds < 1) return "a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Number((seconds / 3600).toPrecision(2))} h`;
  return `${Number((seconds / 86400).toPrecision(2))} days`;
}

export function size(bytes) {
  let count = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (count < 999.5) return `${digits(count)} ${unit}`;
    count /= 1000;
  }
  return `${digits(count)} TB`;
}

export function digits(value) {
  return String(Number(value.toPrecision(3)));
}

export function count(value) {
  return value.toLocaleString("en").replaceAll(",", "\u2009");
}
