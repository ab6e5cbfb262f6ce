// Which of a million points lie inside a drawn outline, in a few milliseconds.

const MOST_CORNERS = 1000;
const ROWS = 512;

/** An outline without corners that are closer than `least` to the one before, at most 1000 of them. */
export function thinned(outline, least = 0) {
  const kept = [];
  for (const each of outline) {
    if (!Number.isFinite(each[0]) || !Number.isFinite(each[1])) continue;
    if (!kept.length || far(each, kept[kept.length - 1], least)) kept.push(each);
  }
  if (kept.length <= MOST_CORNERS) return kept;
  const step = kept.length / MOST_CORNERS;
  return Array.from({ length: MOST_CORNERS }, (_, i) => kept[Math.floor(i * step)]);
}

const far = (a, b, least) => Math.hypot(a[0] - b[0], a[1] - b[1]) > least;

/** Marks (Uint8Array of 0 and 1) of the points inside an outline of corners [x, y], even-odd. */
export function inside(x, y, outline, shown = null) {
  const marks = new Uint8Array(x.length);
  const corners = thinned(outline);
  if (corners.length < 3) return marks;
  const [x0, x1] = extent(corners, 0), [y0, y1] = extent(corners, 1);
  const rows = edgesByRow(corners, y0, y1);
  const scale = y1 > y0 ? ROWS / (y1 - y0) : 0;
  for (let i = 0; i < x.length; i++) {
    const px = x[i], py = y[i];
    if (!(px >= x0 && px <= x1 && py >= y0 && py <= y1) || (shown && !shown[i])) continue;
    const edges = rows[Math.min(ROWS - 1, ((py - y0) * scale) | 0)];
    let crossings = 0;
    for (let e = 0; e < edges.length; e += 4) {
      const ay = edges[e + 1], by = edges[e + 3];
      if ((ay > py) === (by > py)) continue;
      if (px < edges[e] + ((py - ay) / (by - ay)) * (edges[e + 2] - edges[e])) crossings++;
    }
    marks[i] = crossings & 1;
  }
  return marks;
}

function extent(corners, axis) {
  let low = Infinity, high = -Infinity;
  for (const corner of corners) {
    low = Math.min(low, corner[axis]);
    high = Math.max(high, corner[axis]);
  }
  return [low, high];
}

/** The edges that reach into each of 512 rows: a point is compared with few of them. */
function edgesByRow(corners, y0, y1) {
  const rows = Array.from({ length: ROWS }, () => []);
  const scale = y1 > y0 ? ROWS / (y1 - y0) : 0;
  const row = (y) => Math.min(ROWS - 1, Math.max(0, ((y - y0) * scale) | 0));
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length];
    if (ay === by) return;
    for (let r = row(Math.min(ay, by)); r <= row(Math.max(ay, by)); r++) rows[r].push(ax, ay, bx, by);
  });
  return rows.map((edges) => Float64Array.from(edges));
}
