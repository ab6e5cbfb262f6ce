// The scatter plot: a million points as a density, few as discs, coloured by a column, with a selection.
import { axisTitle, drawFrame, percentiles, widened } from "./axes.js";
import { Cloud } from "./cloud.js";
import { binPoints, makeGrid, paint } from "./density.js";
import { css } from "../colour_scale.js";
import { lookupTable } from "./palette.js";
import { canvasPen } from "./pens.js";
import { tokens } from "../tokens.js";

const MARGIN = { left: 70, right: 16, top: 12, bottom: 46 };
const FEW = 4000;
const SETTLED_MS = 140;
// a frame of 30 in a second, and what is quick enough to count more points again
const SLOW_MS = 26, QUICK_MS = 9, MOST_STEP = 8;

export class Scatter {
  /** Draws on `canvas`; `onDrawn` hears of every drawing. */
  constructor(canvas, onDrawn = () => {}) {
    this.canvas = canvas;
    this.onDrawn = onDrawn;
    this.cloud = null;
    this.colour = null;
    this.chosen = null;
    this.shown = null;
    this.isLog = true;
    this.trim = 0;
    this.view = { x0: 0, x1: 1, y0: 0, y1: 1 };
    this.grids = new Map();
    this.frames = 0;
    this.visible = Infinity;
    this.step = 1;
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    document.addEventListener("themechange", () => this.draw());
    this.resize();
  }

  get box() {
    const { left, right, top, bottom } = MARGIN;
    return { left, top, width: Math.max(20, this.width - left - right), height: Math.max(20, this.height - top - bottom) };
  }

  resize() {
    const frame = this.canvas.parentElement.getBoundingClientRect();
    this.width = Math.max(120, Math.floor(frame.width));
    this.height = Math.max(120, Math.floor(frame.height));
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = this.width * scale;
    this.canvas.height = this.height * scale;
    this.draw();
  }

  /** Show columns; `axes` is {x, y} with label, unit and labels of classes each. */
  setAxes(x, y, axes) {
    this.cloud = new Cloud(x, y);
    this.axes = axes;
    this.columns = { x, y };
    this.chosen = this.marks && this.cloud.sorted(this.marks);
    this.shown = this.shownMarks && this.cloud.sorted(this.shownMarks);
    if (this.colourGiven) this.setColour(this.colourGiven);
    this.reset();
  }

  /** Colour by {values, kind, low, high, palette}; null for the density alone. */
  setColour(given) {
    this.colourGiven = given;
    this.colour = given && this.cloud ? { ...given, values: this.cloud.sorted(given.values) } : null;
    this.draw();
  }

  /** Mark a selection: Uint8Array in the order of the particles, or null. */
  setSelection(marks) {
    this.marks = marks;
    this.chosen = marks && this.cloud ? this.cloud.sorted(marks) : null;
    this.draw();
  }

  /** Show these particles only; null for all. */
  setShown(marks) {
    this.shownMarks = marks;
    this.shown = marks && this.cloud ? this.cloud.sorted(marks) : null;
    this.draw();
  }

  /** See all points, or those between percentiles. */
  reset() {
    if (!this.cloud) return;
    const range = (axis) => {
      const [low, high] = widened(...(this.trim > 0 ? percentiles(this.columns[axis], this.trim, 100 - this.trim) : this.cloud.extent[axis]));
      const rim = 0.03 * (high - low);
      return [low - rim, high + rim];
    };
    const [x0, x1] = range("x"), [y0, y1] = range("y");
    this.setView({ x0, x1, y0, y1 });
  }

  setView(view) {
    const wide = view.x1 - view.x0, high = view.y1 - view.y0;
    const least = 1e-6 * Math.max(Math.abs(view.x0), Math.abs(view.y0), 1e-3);
    if (!(wide > least && high > least && wide < 1e15 && high < 1e15)) return;
    this.view = view;
    this.movedAt = performance.now();
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.draw(), SETTLED_MS + 10);
    this.draw();
  }

  pan(dx, dy) {
    const { x0, x1, y0, y1 } = this.view, { width, height } = this.box;
    const x = (-dx / width) * (x1 - x0), y = (dy / height) * (y1 - y0);
    this.setView({ x0: x0 + x, x1: x1 + x, y0: y0 + y, y1: y1 + y });
  }

  /** Zoom by a factor below 1 to see more closely, about a point in px. */
  zoom(factor, px = this.box.left + this.box.width / 2, py = this.box.top + this.box.height / 2) {
    const [x, y] = this.toData(px, py), { x0, x1, y0, y1 } = this.view;
    this.setView({ x0: x + (x0 - x) * factor, x1: x + (x1 - x) * factor, y0: y + (y0 - y) * factor, y1: y + (y1 - y) * factor });
  }

  toData(px, py) {
    const { left, top, width, height } = this.box, { x0, x1, y0, y1 } = this.view;
    return [x0 + ((px - left) / width) * (x1 - x0), y1 - ((py - top) / height) * (y1 - y0)];
  }

  toPx(x, y) {
    const { left, top, width, height } = this.box, { x0, x1, y0, y1 } = this.view;
    return [left + ((x - x0) / (x1 - x0)) * width, top + ((y1 - y) / (y1 - y0)) * height];
  }

  /** Number of the particle nearest to a point in px, -1 if none is within `reach` px. */
  particleAt(px, py, reach) {
    if (!this.cloud) return -1;
    const [x, y] = this.toData(px, py), { width, height } = this.box, { x0, x1, y0, y1 } = this.view;
    const place = this.cloud.nearest(x, y, width / (x1 - x0), height / (y1 - y0), reach, this.shown);
    return place < 0 ? -1 : this.cloud.order[place];
  }

  draw() {
    if (this.waiting || !this.cloud) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      const scale = window.devicePixelRatio || 1, context = this.canvas.getContext("2d");
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      this.drawWith(canvasPen(context, this.colours()), performance.now() - (this.movedAt ?? 0) < SETTLED_MS);
      this.frames++;
      this.onDrawn(this);
    });
  }

  /** Everything but what lies over the plot, with any pen. */
  drawWith(pen, isMoving = false) {
    const picture = this.picture(isMoving);
    const { left, top, width, height } = this.box;
    if (this.visible <= FEW) this.drawDiscs(pen);
    else pen.image(picture, left, top, width, height);
    const titles = { x: axisTitle(this.axes.x), y: axisTitle(this.axes.y) };
    drawFrame(pen, this.box, this.view, titles, { x: this.axes.x.classes, y: this.axes.y.classes });
  }

  /** Colours of ink and ground, from the page's style. */
  colours() {
    return tokens({ ink: "text", muted: "muted", accent: "accent", ground: "surface", line: "line" }, this.canvas);
  }

  /** Size of a bin in px: coarse while moving, and where there are few points for so many pixels. */
  binSize(isMoving) {
    const size = this.visible > 250000 ? 1 : this.visible > 40000 ? 2 : 3;
    return isMoving ? Math.max(2, size) : size;
  }

  gridOf(size) {
    const { width, height } = this.box;
    const wide = Math.max(8, Math.round(width / size)), high = Math.max(8, Math.round(height / size));
    const known = this.grids.get(size);
    if (known?.grid.width === wide && known.grid.height === high) return known;
    const canvas = document.createElement("canvas");
    canvas.width = wide;
    canvas.height = high;
    const image = new ImageData(wide, high);
    const made = { canvas, image, pixels: new Uint32Array(image.data.buffer), grid: makeGrid(wide, high) };
    this.grids.set(size, made);
    return made;
  }

  picture(isMoving) {
    const { canvas, image, pixels, grid } = this.gridOf(this.binSize(isMoving));
    const { cloud, colour, chosen, shown, view } = this;
    const data = { x: cloud.x, y: cloud.y, colour: colour?.values ?? null, classes: colour?.kind === "class", chosen, shown };
    const step = isMoving ? this.step : 1, begin = performance.now();
    binPoints(grid, data, view, [...cloud.between(view.y0, view.y1), step]);
    this.visible = step * grid.visible;
    paint(grid, pixels, this.style());
    if (isMoving) this.keepPace(performance.now() - begin);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  /** While moving, slow machines count every second point, or fewer: neighbours follow each other, so that all places are seen. */
  keepPace(spent) {
    if (spent > SLOW_MS && this.step < MOST_STEP) this.step *= 2;
    else if (spent < QUICK_MS && this.step > 1) this.step /= 2;
  }

  style() {
    const isDark = document.documentElement.dataset.theme === "dark";
    const { colour } = this;
    return {
      kind: colour?.kind ?? "density", table: lookupTable(!colour && !isDark), low: colour?.low, high: colour?.high,
      palette: colour?.palette, isLog: this.isLog, dims: Boolean(this.chosen),
    };
  }

  drawDiscs(pen) {
    const { cloud, view, box, shown, chosen } = this;
    const paintOf = this.discColour();
    const [first, last] = cloud.between(view.y0, view.y1);
    for (let i = first; i < last; i++) {
      const [px, py] = this.toPx(cloud.x[i], cloud.y[i]);
      const isIn = px >= box.left && px <= box.left + box.width && py >= box.top && py <= box.top + box.height;
      if (!isIn || (shown && !shown[i])) continue;
      if (chosen && !chosen[i]) pen.disc(px, py, 1.5, "line");
      else pen.disc(px, py, 2.5, paintOf(i));
    }
  }

  discColour() {
    const style = this.style(), { colour } = this;
    if (!colour) return () => "accent";
    if (colour.kind === "class") return (i) => (style.palette[colour.values[i]] ? css(style.palette[colour.values[i]]) : "muted");
    const scale = style.high > style.low ? 255 / (style.high - style.low) : 0;
    return (i) => {
      const place = Math.min(255, Math.max(0, (colour.values[i] - style.low) * scale)) | 0;
      return colour.values[i] === colour.values[i] ? css(style.table.subarray(3 * place, 3 * place + 3)) : "muted";
    };
  }
}
