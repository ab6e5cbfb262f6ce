// Picks in the browser: places, scores and classes, what was changed, and which lie near a plane.

const AXES = ["z", "y", "x"];

/** Picks of one source; rows from `numBase` on were added here. */
export class Picks {
  /** From the server: classes [{name, radius}], version, and rows of z, y, x, score, class. */
  constructor({ classes, version }, values) {
    this.classes = classes.map((each) => ({ ...each, isVisible: true, leastScore: -Infinity }));
    this.version = version;
    this.numBase = values.length / 5;
    this.count = this.numBase;
    this.reserve(Math.max(1024, this.numBase + 1024));
    for (let row = 0; row < this.numBase; row += 1) {
      AXES.forEach((axis, place) => { this.place[axis][row] = values[row * 5 + place]; });
      this.score[row] = values[row * 5 + 3];
      this.kind[row] = values[row * 5 + 4];
    }
    this.moved = new Set(); // base rows that lie elsewhere now
    this.orders = {};
  }

  reserve(capacity) {
    const grow = (Type, old) => {
      const made = new Type(capacity);
      if (old) made.set(old);
      return made;
    };
    this.place = Object.fromEntries(AXES.map((axis) => [axis, grow(Float64Array, this.place?.[axis])]));
    this.score = grow(Float32Array, this.score);
    this.kind = grow(Uint16Array, this.kind);
    this.isDeleted = grow(Uint8Array, this.isDeleted);
    this.capacity = capacity;
  }

  positionOf(row) {
    return { z: this.place.z[row], y: this.place.y[row], x: this.place.x[row] };
  }

  /** Whether a pick is shown: there, of a visible class, and not below its threshold. */
  isShown(row) {
    const { isVisible, leastScore } = this.classes[this.kind[row]];
    return !this.isDeleted[row] && isVisible && (row >= this.numBase || !(this.score[row] < leastScore));
  }

  /** Add a pick; returns its row. */
  add(kind, position) {
    if (this.count === this.capacity) this.reserve(2 * this.capacity);
    const row = this.count;
    this.count += 1;
    this.score[row] = 1;
    this.kind[row] = kind;
    this.isDeleted[row] = 0;
    AXES.forEach((axis) => { this.place[axis][row] = position[axis]; });
    return row;
  }

  move(row, position) {
    AXES.forEach((axis) => { this.place[axis][row] = position[axis]; });
    if (row < this.numBase) this.moved.add(row);
  }

  setDeleted(row, isDeleted) {
    this.isDeleted[row] = isDeleted ? 1 : 0;
  }

  /** Add a class; returns its number. */
  addClass(name) {
    const known = this.classes.findIndex((each) => each.name === name);
    if (known >= 0) return known;
    this.classes.push({ name, radius: null, isVisible: true, leastScore: -Infinity });
    return this.classes.length - 1;
  }

  /** Call back with every row within `reach` of a place along an axis, shown or not. */
  near(axis, middle, reach, callback) {
    const order = this.order(axis);
    const values = this.orderedAt[axis];
    let low = 0;
    let high = order.length;
    while (low < high) {
      const half = (low + high) >> 1;
      if (values[half] < middle - reach) low = half + 1;
      else high = half;
    }
    for (; low < order.length && values[low] <= middle + reach; low += 1) {
      if (!this.moved.has(order[low])) callback(order[low]);
    }
    const isNear = (row) => Math.abs(this.place[axis][row] - middle) <= reach;
    for (const row of this.moved) if (isNear(row)) callback(row);
    for (let row = this.numBase; row < this.count; row += 1) if (isNear(row)) callback(row);
  }

  /** Base rows by where they lay along an axis when they came; made once. */
  order(axis) {
    if (!this.orders[axis]) {
      const values = this.place[axis].slice(0, this.numBase);
      const rows = Uint32Array.from({ length: this.numBase }, (_, row) => row);
      rows.sort((first, second) => values[first] - values[second]);
      this.orders[axis] = rows;
      this.orderedAt ??= {};
      this.orderedAt[axis] = Float64Array.from(rows, (row) => values[row]);
    }
    return this.orders[axis];
  }

  /** Of each class: picks there are, and picks that are not below its threshold. */
  counts() {
    const counts = this.classes.map(() => ({ all: 0, kept: 0 }));
    for (let row = 0; row < this.count; row += 1) {
      if (this.isDeleted[row]) continue;
      const of = counts[this.kind[row]];
      of.all += 1;
      const { leastScore } = this.classes[this.kind[row]];
      if (row >= this.numBase || !(this.score[row] < leastScore)) of.kept += 1;
    }
    return counts;
  }

  /** Lowest and highest score of a class (null for all); what the files say, edits aside. */
  scoreRange(kind) {
    let low = Infinity;
    let high = -Infinity;
    for (let row = 0; row < this.numBase; row += 1) {
      if (kind !== null && this.kind[row] !== kind) continue;
      const score = this.score[row];
      if (score < low) low = score;
      if (score > high) high = score;
    }
    return low <= high ? { low, high } : { low: 0, high: 1 };
  }

  /** Shown rows through the volume, plane by plane. */
  shownRows() {
    const rows = [];
    for (let row = 0; row < this.count; row += 1) if (this.isShown(row)) rows.push(row);
    const { z, y, x } = this.place;
    return rows.sort((a, b) => z[a] - z[b] || y[a] - y[b] || x[a] - x[b]);
  }

  /** The changes, as the server takes them. */
  edits() {
    const where = (row) => [this.place.z[row], this.place.y[row], this.place.x[row]];
    const edits = { version: this.version, moved: [], deleted: [], added: [] };
    for (let row = 0; row < this.numBase; row += 1) if (this.isDeleted[row]) edits.deleted.push(row);
    for (const row of this.moved) if (!this.isDeleted[row]) edits.moved.push([row, ...where(row)]);
    for (let row = this.numBase; row < this.count; row += 1) {
      if (!this.isDeleted[row]) edits.added.push([this.classes[this.kind[row]].name, ...where(row)]);
    }
    return edits;
  }
}
