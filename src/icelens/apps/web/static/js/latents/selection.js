// The selected particles: joined with others, undone, counted, kept over a reload.

const MOST_UNDONE = 8;

export class Selection {
  /** Of `count` particles; `key` names it in the browser's storage, `onChange` hears of changes. */
  constructor(count, key, onChange) {
    this.count = count;
    this.key = key;
    this.onChange = onChange;
    this.before = [];
    this.marks = restored(key, count);
  }

  /** Marks, or null where nothing is selected. */
  get any() {
    return this.size ? this.marks : null;
  }

  get size() {
    if (this.known === undefined) {
      const { marks } = this;
      let sum = 0;
      // a plain loop: reduce would take ten times as long
      for (let i = 0; marks && i < marks.length; i++) sum += marks[i];
      this.known = sum;
    }
    return this.known;
  }

  /** Join with marks: "replace", "add", "subtract" or "intersect". */
  join(marks, how) {
    const old = this.marks, made = Uint8Array.from(marks);
    if (!old && how === "subtract") flip(made);
    else if (old) RULES[how](made, old);
    this.set(made);
  }

  invert() {
    const made = this.marks ? Uint8Array.from(this.marks) : new Uint8Array(this.count);
    flip(made);
    this.set(made);
  }

  clear() {
    if (this.marks) this.set(null);
  }

  undo() {
    if (!this.before.length) return;
    this.set(this.before.pop(), true);
  }

  set(marks, isUndo = false) {
    if (!isUndo) {
      this.before.push(this.marks);
      if (this.before.length > MOST_UNDONE) this.before.shift();
    }
    this.marks = marks;
    this.known = undefined;
    // kept a little later: what is seen goes first
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => keep(this.key, marks), 200);
    this.onChange();
  }

  /** One bit for each particle, the first in the lowest, as base64. */
  asText() {
    return packed(this.marks ?? new Uint8Array(this.count));
  }

  /** How many of the selected, and of all, have each class of a column: [{label, chosen, all}]. */
  composition(values, labels) {
    const chosen = new Uint32Array(labels.length), all = new Uint32Array(labels.length);
    const { marks } = this;
    for (let i = 0; i < values.length; i++) {
      const code = values[i];
      if (!(code >= 0 && code < labels.length)) continue;
      all[code]++;
      if (marks && marks[i]) chosen[code]++;
    }
    return labels.map((label, code) => ({ label, chosen: chosen[code], all: all[code] }));
  }
}

// what becomes of new marks beside old ones, in place; a loop each, as a million calls take long
const RULES = {
  replace: () => {},
  add: (made, old) => { for (let i = 0; i < made.length; i++) made[i] |= old[i]; },
  subtract: (made, old) => { for (let i = 0; i < made.length; i++) made[i] = old[i] & (1 - made[i]); },
  intersect: (made, old) => { for (let i = 0; i < made.length; i++) made[i] &= old[i]; },
};

function flip(marks) {
  for (let i = 0; i < marks.length; i++) marks[i] = 1 - marks[i];
}

/** Marks from bits, as the server sends them. */
export function marksOf(bytes, count) {
  const marks = new Uint8Array(count);
  for (let i = 0; i < count; i++) marks[i] = (bytes[i >> 3] >> (i & 7)) & 1;
  return marks;
}

function packed(marks) {
  const bytes = new Uint8Array(Math.ceil(marks.length / 8));
  for (let i = 0; i < marks.length; i++) if (marks[i]) bytes[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function keep(key, marks) {
  try {
    if (marks) localStorage.setItem(key, packed(marks));
    else localStorage.removeItem(key);
  } catch {
    // storage is full or forbidden: the selection lives as long as the page
  }
}

function restored(key, count) {
  try {
    const text = localStorage.getItem(key);
    if (!text) return null;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return bytes.length === Math.ceil(count / 8) ? marksOf(bytes, count) : null;
  } catch {
    return null;
  }
}
