// Planes from the server: one request at a time for each pane, neighbours fetched ahead, a bounded cache.

const CACHE_BYTES = 192 * 1024 * 1024;
const AHEAD = 3;
const cache = new Map();
let cachedBytes = 0;

/** The address of a plane. */
function planeUrl(file, { kind, axis, index, slab, size }) {
  const query = new URLSearchParams({ file, axis, index, slab, max_size: size });
  return `/api/volumes/${kind === "spectrum" ? "spectrum" : "slice"}?${query}`;
}

/** The plane, if it has been fetched before. */
export function cached(url) {
  const plane = cache.get(url);
  if (plane) {
    cache.delete(url); // put last: what is used longest ago goes first
    cache.set(url, plane);
  }
  return plane;
}

function keep(url, plane) {
  cache.set(url, plane);
  cachedBytes += plane.codes.byteLength;
  for (const [oldest, old] of cache) {
    if (cachedBytes <= CACHE_BYTES || oldest === url) break;
    cache.delete(oldest);
    cachedBytes -= old.codes.byteLength;
  }
}

/** Forget the planes of a file that was written anew. */
export function forget(file) {
  const mark = `file=${new URLSearchParams({ file }).toString().slice(5)}&`;
  for (const [url, plane] of cache) {
    if (url.includes(mark)) {
      cache.delete(url);
      cachedBytes -= plane.codes.byteLength;
    }
  }
}

/** Fetch a plane; errors carry the server's line. */
async function fetchPlane(url, signal) {
  const answer = await fetch(url, { signal, credentials: "same-origin" });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error ?? `the server answered ${answer.status}`);
  }
  const codes = new Uint16Array(await answer.arrayBuffer());
  const [rows, columns] = answer.headers.get("X-Shape").split(",").map(Number);
  return {
    codes,
    rows,
    columns,
    low: Number(answer.headers.get("X-Low")),
    high: Number(answer.headers.get("X-High")),
    bin: Number(answer.headers.get("X-Bin")),
  };
}

/** Fetches for one pane: the newest wish is next, older ones are dropped, then neighbours follow. */
export class PaneLoader {
  /** onPlane(plane, wish) and onError(message) are called when an answer arrives. */
  constructor({ onPlane, onError }) {
    this.onPlane = onPlane;
    this.onError = onError;
    this.wish = null;
    this.running = null;
    this.direction = 1;
  }

  /** Ask for a plane {file, kind, axis, index, slab, size, last}; returns it if it is at hand. */
  want(wish) {
    const url = planeUrl(wish.file, wish);
    if (this.wish && wish.index !== this.wish.index) {
      this.direction = Math.sign(wish.index - this.wish.index);
    }
    this.wish = { ...wish, url };
    const known = cached(url);
    if (this.running && this.running.url !== url && (this.running.isAhead || !this.isNear())) {
      this.running.abort.abort();
      this.running = null;
    }
    if (!this.running) this.next();
    return known;
  }

  /** A plane on the way to the wished one is still worth seeing; one of another kind is not. */
  isNear() {
    const { wish } = this.running;
    const same = ["file", "kind", "axis", "slab", "size"].every((key) => wish[key] === this.wish[key]);
    return same && Math.abs(wish.index - this.wish.index) <= 40;
  }

  /** Begin the request that matters most now, if any. */
  next() {
    const { wish } = this;
    if (!wish) return;
    if (!cached(wish.url)) {
      this.start(wish, false);
      return;
    }
    for (let step = 1; step <= AHEAD; step += 1) {
      for (const sign of step === 1 ? [1, -1] : [1]) {
        const index = wish.index + sign * step * this.direction;
        if (index < 0 || index > wish.last || wish.kind === "spectrum") continue;
        const url = planeUrl(wish.file, { ...wish, index });
        if (!cache.has(url)) {
          this.start({ ...wish, index, url }, true);
          return;
        }
      }
    }
  }

  async start(wish, isAhead) {
    const running = { wish, url: wish.url, isAhead, abort: new AbortController() };
    this.running = running;
    try {
      const plane = await fetchPlane(wish.url, running.abort.signal);
      keep(wish.url, plane);
      if (!isAhead && this.running === running) this.onPlane(plane, wish);
    } catch (error) {
      if (error.name !== "AbortError" && !isAhead) this.onError(error.message);
      if (error.name !== "AbortError") {
        if (this.running === running) this.running = null;
        return; // no retries: the next wish asks again
      }
    }
    if (this.running === running) {
      this.running = null;
      this.next();
    }
  }

  /** Drop what is under way. */
  stop() {
    this.wish = null;
    this.running?.abort.abort();
    this.running = null;
  }
}
