// Counts a million points into the pixels of a picture, with the mean value, or the commonest class, of each.

/** A picture of `width` x `height` bins and what they hold. */
export function makeGrid(width, height) {
  const size = width * height;
  return {
    width, height,
    count: new Uint32Array(size), sum: new Float32Array(size), known: new Uint32Array(size),
    chosen: new Uint32Array(size), candidate: new Uint8Array(size), lead: new Int32Array(size),
    visible: 0, most: 0,
  };
}

/**
 * Count points into bins; row 0 is the top.
 *
 * data: {x, y: Float32Array, colour: Float32Array | null, classes: boolean, chosen: Uint8Array | null,
 *        shown: Uint8Array | null}; classes are whole numbers from 0.
 * view: {x0, x1, y0, y1} in data units. range: from, to of the points that may lie in it, and the
 * step from one to the next that is counted.
 *
 * One plain loop for each thing that is kept: loops that choose inside take several times as long.
 */
export function binPoints(grid, data, view, range = [0, data.x.length, 1]) {
  const isPlain = !data.colour && !data.chosen && !data.shown;
  const bins = isPlain ? null : placesOf(data.x.length);
  grid.visible = isPlain ? countPlainly(grid, data, view, range) : findBins(grid, bins, data, view, range);
  const { count } = grid;
  let most = 0;
  for (let bin = 0; bin < count.length; bin++) if (count[bin] > most) most = count[bin];
  grid.most = most;
  if (data.colour && data.classes) vote(grid, bins, data.colour, range);
  else if (data.colour) addValues(grid, bins, data.colour, range);
  if (data.chosen) countChosen(grid, bins, data.chosen, range);
}

let kept = new Int32Array(0);

/** Room for the bin of each point, used again and again. */
function placesOf(length) {
  if (kept.length !== length) kept = new Int32Array(length);
  return kept;
}

function countPlainly({ width, height, count }, { x, y }, view, [first, last, step]) {
  count.fill(0);
  const sx = width / (view.x1 - view.x0), sy = height / (view.y1 - view.y0);
  const ox = -view.x0 * sx, oy = height + view.y0 * sy;
  let visible = 0;
  for (let i = first; i < last; i += step) {
    const px = x[i] * sx + ox, py = oy - y[i] * sy;
    if (px >= 0 && px < width && py >= 0 && py < height) { count[(py | 0) * width + (px | 0)]++; visible++; }
  }
  return visible;
}

/** Bin of each point, -1 outside; counts them, and returns how many there are. */
function findBins(grid, bins, { x, y, shown }, view, [first, last, step]) {
  const { width, height, count } = grid;
  count.fill(0);
  const sx = width / (view.x1 - view.x0), sy = height / (view.y1 - view.y0);
  const ox = -view.x0 * sx, oy = height + view.y0 * sy;
  let visible = 0;
  for (let i = first; i < last; i += step) {
    const px = x[i] * sx + ox, py = oy - y[i] * sy;
    // false for NaN, too
    if (px >= 0 && px < width && py >= 0 && py < height) {
      const bin = (py | 0) * width + (px | 0);
      bins[i] = bin;
      count[bin]++;
      visible++;
    } else bins[i] = -1;
  }
  if (!shown) return visible;
  for (let i = first; i < last; i += step) {
    if (shown[i] || bins[i] < 0) continue;
    count[bins[i]]--;
    bins[i] = -1;
    visible--;
  }
  return visible;
}

function addValues({ sum, known }, bins, colour, [first, last, step]) {
  sum.fill(0);
  known.fill(0);
  for (let i = first; i < last; i += step) {
    const bin = bins[i], value = colour[i];
    if (bin >= 0 && value === value) { sum[bin] += value; known[bin]++; }
  }
}

/** Boyer and Moore's vote: the class of more than half of the points of a bin, whatever their order. */
function vote({ candidate, lead }, bins, colour, [first, last, step]) {
  lead.fill(0);
  for (let i = first; i < last; i += step) {
    const bin = bins[i];
    if (bin < 0) continue;
    const value = colour[i], ahead = lead[bin];
    if (ahead === 0) { candidate[bin] = value; lead[bin] = 1; }
    else lead[bin] = candidate[bin] === value ? ahead + 1 : ahead - 1;
  }
}

function countChosen({ chosen }, bins, marks, [first, last, step]) {
  chosen.fill(0);
  for (let i = first; i < last; i += step) if (marks[i] && bins[i] >= 0) chosen[bins[i]]++;
}

/**
 * Colours of the bins into `pixels` (Uint32Array over RGBA bytes, little endian); empty bins are clear.
 *
 * style: {kind: "density" | "amount" | "class", table: 256 colours, low, high, palette: [[r, g, b]],
 *         isLog, dims: whether points outside a selection are faint}
 */
export function paint(grid, pixels, style) {
  const { count } = grid;
  const strength = strengths(grid.most, style.isLog);
  const tint = tinter(grid, style, strength);
  for (let bin = 0; bin < count.length; bin++) {
    if (count[bin] === 0) { pixels[bin] = 0; continue; }
    const rgb = tint(bin);
    let alpha = style.kind === "density" ? 255 : 115 + 140 * strength(count[bin]);
    if (style.dims) alpha *= 0.12 + 0.88 * Math.min(1, grid.chosen[bin] / count[bin]);
    pixels[bin] = ((alpha & 255) << 24) | rgb;
  }
}

function strengths(most, isLog) {
  const scale = isLog ? 1 / Math.log1p(most) : 1 / most;
  const table = new Float32Array(Math.min(most, 4096) + 1);
  for (let n = 0; n < table.length; n++) table[n] = isLog ? Math.log1p(n) * scale : n * scale;
  return (n) => (n < table.length ? table[n] : isLog ? Math.log1p(n) * scale : n * scale);
}

function tinter(grid, style, strength) {
  const table = packed(style.table);
  if (style.kind === "density") return (bin) => table[(strength(grid.count[bin]) * 255) | 0];
  const grey = (140 << 16) | (140 << 8) | 140;
  if (style.kind === "class") {
    const colours = style.palette.map(([r, g, b]) => (b << 16) | (g << 8) | r);
    return (bin) => colours[grid.candidate[bin]] ?? grey;
  }
  const scale = style.high > style.low ? 255 / (style.high - style.low) : 0;
  return (bin) => {
    if (!grid.known[bin]) return grey;
    const place = (grid.sum[bin] / grid.known[bin] - style.low) * scale;
    return table[place < 0 ? 0 : place > 255 ? 255 : place | 0];
  };
}

function packed(table) {
  const found = new Uint32Array(256);
  for (let i = 0; i < 256; i++) found[i] = (table[3 * i + 2] << 16) | (table[3 * i + 1] << 8) | table[3 * i];
  return found;
}
