// The points of a plot, sorted by where they lie: neighbours in the plane are neighbours in memory, which makes counting fast.

const TILES = 256;

export class Cloud {
  /** Points by their columns (Float32Array each, in the order of the particles). */
  constructor(x, y) {
    this.length = x.length;
    this.extent = { x: extentOf(x), y: extentOf(y) };
    this.order = new Int32Array(x.length);
    this.rowStart = new Int32Array(TILES + 1);
    this.sort(x, y);
    this.x = this.sorted(x);
    this.y = this.sorted(y);
  }

  /** Tiles row by row, from low y to high. */
  sort(x, y) {
    const [x0, x1] = this.extent.x, [y0, y1] = this.extent.y;
    const sx = TILES / (x1 - x0 || 1), sy = TILES / (y1 - y0 || 1), last = TILES - 1;
    const key = new Uint16Array(this.length), start = new Uint32Array(TILES * TILES + 1);
    for (let i = 0; i < this.length; i++) {
      const a = Math.min(last, ((x[i] - x0) * sx) | 0), b = Math.min(last, ((y[i] - y0) * sy) | 0);
      key[i] = b * TILES + a;
      start[key[i] + 1]++;
    }
    for (let tile = 0; tile < TILES * TILES; tile++) start[tile + 1] += start[tile];
    for (let row = 0; row <= TILES; row++) this.rowStart[row] = start[row * TILES];
    for (let i = 0; i < this.length; i++) this.order[start[key[i]]++] = i;
  }

  /** A column in the order of this cloud. */
  sorted(values) {
    const { order } = this, found = new values.constructor(values.length);
    for (let i = 0; i < found.length; i++) found[i] = values[order[i]];
    return found;
  }

  /** Marks of this cloud's order, in that of the particles. */
  unsorted(marks) {
    const { order } = this, found = new Uint8Array(marks.length);
    for (let i = 0; i < found.length; i++) found[order[i]] = marks[i];
    return found;
  }

  /** Places from, to of the points that may lie between two values of y. */
  between(y0, y1) {
    const [low, high] = this.extent.y, scale = TILES / (high - low || 1);
    const row = (y) => Math.min(TILES - 1, Math.max(0, Math.floor((y - low) * scale)));
    return [this.rowStart[row(y0)], this.rowStart[row(y1) + 1]];
  }

  /** Place of the point nearest to (x, y) with distances in px, -1 if none is within `reach` px. */
  nearest(x, y, pxPerX, pxPerY, reach, shown = null) {
    const [first, last] = Number.isFinite(reach) ? this.between(y - reach / pxPerY, y + reach / pxPerY) : [0, this.length];
    let best = reach * reach, found = -1;
    for (let i = first; i < last; i++) {
      const dx = (this.x[i] - x) * pxPerX, dy = (this.y[i] - y) * pxPerY, squared = dx * dx + dy * dy;
      if (squared < best && (!shown || shown[i])) { best = squared; found = i; }
    }
    return found;
  }
}

/** Least and most of the finite values; [0, 0] if there is none. */
export function extentOf(values) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < low && value !== -Infinity) low = value;
    if (value > high && value !== Infinity) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}
