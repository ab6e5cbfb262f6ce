// Histogram of the colour column, drawn in its colours, with two handles that set the range.
import { shortNumber, ticks, widened } from "./axes.js";
import { css, viridis } from "../colour_scale.js";
import { canvasPen } from "./pens.js";
import { tokens } from "../tokens.js";

const BINS = 96;
const FOOT = 22;

export class Histogram {
  /** In `element`; `onRange(low, high)` hears while the handles move. */
  constructor(element, onRange) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.onRange = onRange;
    this.handles = ["least", "most"].map((name, side) => this.makeHandle(name, side));
    new ResizeObserver(() => this.draw()).observe(element);
    document.addEventListener("themechange", () => this.draw());
  }

  /** Show a column between two values; the range is [low, high]. */
  show(values, label, extent, range, isColoured = true) {
    this.isColoured = isColoured;
    this.extent = widened(...extent);
    this.label = label;
    this.counts = countBins(values, ...this.extent);
    this.setRange(...range);
  }

  setRange(low, high) {
    this.range = [low, high];
    this.draw();
  }

  makeHandle(name, side) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "handle";
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", `${name} value of the colours`);
    const move = (value) => {
      const range = [...this.range];
      range[side] = Math.min(Math.max(value, this.extent[0]), this.extent[1]);
      if (range[0] < range[1]) { this.setRange(...range); this.onRange(...range); }
    };
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const frame = this.element.getBoundingClientRect();
      move(this.extent[0] + ((event.clientX - frame.left) / frame.width) * (this.extent[1] - this.extent[0]));
    });
    handle.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      move(this.range[side] + (way * (this.extent[1] - this.extent[0])) / BINS);
    });
    this.element.append(handle);
    return handle;
  }

  draw() {
    if (!this.counts) return;
    const frame = this.element.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
    const width = Math.max(50, Math.floor(frame.width)), height = Math.max(40, Math.floor(frame.height));
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    this.drawWith(canvasPen(context, this.colours()), width, height);
    this.handles.forEach((handle, side) => {
      handle.style.left = `${this.place(this.range[side]) * width}px`;
      handle.setAttribute("aria-valuemin", this.extent[0]);
      handle.setAttribute("aria-valuemax", this.extent[1]);
      handle.setAttribute("aria-valuenow", shortNumber(this.range[side]));
    });
  }

  place(value) {
    return (value - this.extent[0]) / (this.extent[1] - this.extent[0]);
  }

  drawWith(pen, width, height) {
    const most = Math.log1p(Math.max(...this.counts, 1)), ground = height - FOOT;
    this.counts.forEach((count, bin) => {
      const value = this.extent[0] + ((bin + 0.5) / BINS) * (this.extent[1] - this.extent[0]);
      const share = (value - this.range[0]) / (this.range[1] - this.range[0] || 1);
      const high = (Math.log1p(count) / most) * (ground - 4);
      pen.fill((bin / BINS) * width, ground - high, width / BINS + 0.5, high, this.isColoured ? css(viridis(share)) : share >= 0 && share <= 1 ? "muted" : "line");
    });
    pen.line(0, ground + 0.5, width, ground + 0.5, "muted");
    pen.text(width - 4, 12, this.label, { anchor: "end", halo: true });
    const [low, high] = this.extent, marks = ticks(low, high, width / 80);
    const step = marks.length > 1 ? marks[1] - marks[0] : 0;
    for (const at of marks) {
      const x = this.place(at) * width;
      if (x > 14 && x < width - 14) pen.text(x, height - 6, shortNumber(at, step), { anchor: "middle" });
    }
  }

  colours() {
    return tokens({ ink: "text", muted: "muted", line: "line", ground: "surface" }, this.element);
  }
}

/** Numbers of values in 96 bins between two values; what lies outside is not counted. */
function countBins(values, low, high) {
  const counts = new Array(BINS).fill(0), scale = BINS / (high - low);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i] - low) * scale);
    if (bin >= 0 && bin < BINS) counts[bin]++;
    else if (values[i] === high) counts[BINS - 1]++;
  }
  return counts;
}
