// One plane of one volume on a canvas: asks for the plane, draws it, passes the pointer on.

import { extent, imageRectangle, isInside, pixel, voxelAt, PLANES, AXES } from "./geometry.js";
import { drawCrosshair, drawPlaneName, drawRings, drawScaleBar } from "./draw.js";
import { decoded, lookupTable, spectrumWindow, windowOf } from "./greys.js";
import { PlaneImage, tableFor } from "./image.js";
import { PaneLoader } from "./loader.js";

const SIZES = [256, 512, 1024, 2048, 4096];

export class Pane {
  /** A pane of `volume` across `axis`; `viewer` holds what all share. */
  constructor(viewer, volume, axis) {
    this.viewer = viewer;
    this.volume = volume;
    this.axis = axis;
    this.plane = null;
    this.shown = null;
    this.error = "";
    this.image = new PlaneImage();
    this.size = { width: 0, height: 0 };
    this.element = document.createElement("div");
    this.element.className = "slices-pane";
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.element.append(this.canvas);
    this.loader = new PaneLoader({
      onPlane: (plane, wish) => this.show(plane, wish),
      onError: (message) => this.fail(message),
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
  }

  get index() {
    return voxelAt(this.volume.header, this.axis, this.viewer.view.position[this.axis]);
  }

  get isSpectrum() {
    return this.viewer.mode === "spectrum";
  }

  /** Ask for what should be seen now; what is seen stays until the answer is here. */
  refresh() {
    if (this.size.width === 0) return;
    const { header, file } = this.volume;
    const wish = {
      file,
      kind: this.isSpectrum ? "spectrum" : "slice",
      axis: this.axis,
      index: this.index,
      slab: this.viewer.slab,
      size: this.wantedSize(),
      last: header.shape[AXES.indexOf(this.axis)] - 1,
    };
    const plane = this.loader.want(wish);
    if (plane) this.show(plane, wish);
  }

  /** Longest side of the plane that the screen can show. */
  wantedSize() {
    const { columns, rows } = PLANES[this.axis];
    const header = this.volume.header;
    const sides = Math.max(extent(header, columns), extent(header, rows)) / pixel(header);
    const needed = sides * Math.min(1, this.viewer.view.zoom * pixel(header) * window.devicePixelRatio * 1.01);
    return SIZES.find((each) => each >= needed) ?? SIZES.at(-1);
  }

  show(plane, wish) {
    this.plane = plane;
    this.shown = wish;
    this.error = "";
    this.viewer.invalidate();
  }

  fail(message) {
    this.error = message;
    this.viewer.onError(message);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === this.size.width && height === this.size.height) return;
    this.size = { width, height };
    const ratio = window.devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.viewer.resized();
  }

  /** Draw the plane at hand and what lies over it. */
  draw() {
    if (this.size.width === 0) return;
    const context = this.canvas.getContext("2d");
    const ratio = this.canvas.width / this.size.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.size.width, this.size.height);
    if (!this.plane || (this.shown.kind === "spectrum") !== this.isSpectrum) return;
    this.paint();
    if (this.isSpectrum) this.drawSpectrum(context);
    else this.drawSlice(context);
    this.canvas.setAttribute("aria-label", this.describe());
  }

  /** The lookup table of this contrast, applied. */
  paint() {
    const { plane, viewer, volume } = this;
    const { contrast } = viewer;
    const shown = this.isSpectrum ? this.spectrumWindow() : windowOf(volume.header, contrast);
    const isInverted = contrast.isInverted && !this.isSpectrum;
    const key = [plane.low, plane.high, shown.low, shown.high, isInverted].join(" ");
    this.image.paint(plane, key, tableFor(key, () => lookupTable(plane, shown, isInverted)));
  }

  spectrumWindow() {
    this.plane.window ??= spectrumWindow(this.plane);
    return this.plane.window;
  }

  drawSlice(context) {
    const { viewer, volume, axis, size } = this;
    const place = imageRectangle(viewer.view, axis, size, volume.header);
    context.imageSmoothingEnabled = place.width < this.plane.columns * this.plane.bin;
    context.imageSmoothingQuality = "high";
    // a binned plane may reach a little beyond the volume: its last bin holds fewer voxels
    const step = this.plane.bin * pixel(volume.header) * viewer.view.zoom;
    const [width, height] = [this.plane.columns * step, this.plane.rows * step];
    context.drawImage(this.image.canvas, place.x, place.y + place.height - height, width, height);
    for (const overlay of viewer.overlays) overlay(context, this);
    if (viewer.hasCrosshair) drawCrosshair(context, viewer.view, axis, size);
    const unit = volume.header.pixel_size ? "Å" : "px";
    if (size.width > 120) drawScaleBar(context, size, viewer.view.zoom, unit);
    const isOutside = !isInside(volume.header, axis, viewer.view.position[axis]);
    drawPlaneName(context, axis, isOutside ? `${axis} outside, nearest shown` : `${axis} ${this.shown.index}`);
  }

  drawSpectrum(context) {
    const { size, volume, axis } = this;
    const side = this.spectrumSide();
    context.imageSmoothingEnabled = side < this.plane.columns;
    const [x, y] = [(size.width - side) / 2, (size.height - side) / 2];
    context.drawImage(this.image.canvas, x, y, side, side);
    drawRings(context, size, side, pixel(volume.header), volume.header.pixel_size ? "Å" : "px");
    drawPlaneName(context, axis, `power, ${axis} ${this.shown.index}`);
  }

  spectrumSide() {
    return 0.94 * Math.min(this.size.width, this.size.height);
  }

  /** The resolution (Å) at a point of a spectrum; infinite in its middle, null outside it. */
  resolutionAt(point) {
    const half = this.spectrumSide() / 2;
    const across = [point.x - this.size.width / 2, point.y - this.size.height / 2];
    if (Math.max(...across.map(Math.abs)) > half) return null;
    return (2 * pixel(this.volume.header) * half) / Math.hypot(...across);
  }

  describe() {
    const kind = this.isSpectrum ? "power spectrum of the plane" : "plane";
    return `${this.volume.header.name}: ${kind} ${PLANES[this.axis].name} at ${this.axis} = ${this.shown.index}`;
  }

  /** The value of the plane at a position, to the step of its codes; null outside it, NaN for none. */
  valueAt(position) {
    const { header } = this.volume;
    const { columns, rows } = PLANES[this.axis];
    if (!this.plane || this.shown.kind === "spectrum") return null;
    if (!isInside(header, columns, position[columns]) || !isInside(header, rows, position[rows])) return null;
    const column = Math.floor(voxelAt(header, columns, position[columns]) / this.plane.bin);
    const row = Math.floor(voxelAt(header, rows, position[rows]) / this.plane.bin);
    const code = this.plane.codes[row * this.plane.columns + column];
    const step = (this.plane.high - this.plane.low) / 65534;
    const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(step || 1))));
    return Number(decoded(code, this.plane.low, this.plane.high).toFixed(digits));
  }

  remove() {
    this.loader.stop();
    this.observer.disconnect();
    this.element.remove();
  }
}
