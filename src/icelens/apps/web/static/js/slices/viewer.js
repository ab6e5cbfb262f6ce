// Up to four volumes side by side, with one position, zoom, contrast and slab.

import { AXES, PLANES, extent, pixel, voxelAt, zoomedAt } from "./geometry.js";
import { arrange } from "./layout.js";
import { Pane } from "./pane.js";
import { listen } from "./pointer.js";

export const MOST_VOLUMES = 4;
const THICKEST = 21;
const ZOOM_RANGE = 60;

export class Viewer {
  /** Draws into `stage`; `onChange(what)` is called when position, contrast or pane changes. */
  constructor(stage, { onChange, onError, contrast }) {
    this.stage = stage;
    this.onChange = onChange;
    this.onError = onError;
    this.contrast = contrast;
    this.cells = [];
    this.overlays = [];
    this.tool = null;
    this.mode = "slice";
    this.layout = "all";
    this.slab = 1;
    this.hasCrosshair = true;
    this.active = null;
    this.hovered = null;
    this.view = { position: { z: 0, y: 0, x: 0 }, centre: { z: 0, y: 0, x: 0 }, zoom: 0 };
    this.hasOwnZoom = false;
    this.frame = 0;
    new ResizeObserver(() => this.resized()).observe(stage);
  }

  get volumes() {
    return this.cells.map((cell) => cell.volume);
  }

  get panes() {
    return this.cells.flatMap((cell) => cell.panes);
  }

  /** Add a volume {file, header}; the first one sets the position to its middle. */
  add(volume) {
    const isFirst = this.cells.length === 0;
    this.cells.push({ volume, panes: [], element: null });
    if (isFirst) {
      for (const axis of AXES) {
        const middle = Math.floor(volume.header.shape[AXES.indexOf(axis)] / 2) * pixel(volume.header);
        this.view.position[axis] = middle;
        this.view.centre[axis] = middle;
      }
    }
    this.setLayout(this.cells.length > 1 && this.layout === "all" ? "z" : this.layout);
  }

  /** Take a volume away. */
  remove(volume) {
    this.cells.find((cell) => cell.volume === volume)?.panes.forEach((pane) => pane.remove());
    this.cells = this.cells.filter((cell) => cell.volume !== volume);
    this.setLayout(this.layout);
  }

  /** Show one plane ("z", "y", "x") of each volume, or all three. */
  setLayout(layout) {
    this.layout = layout;
    const axes = layout === "all" ? AXES : [layout];
    const activeAxis = layout === "all" ? "z" : layout;
    for (const cell of this.cells) {
      cell.panes.filter((pane) => !axes.includes(pane.axis)).forEach((pane) => pane.remove());
      cell.panes = axes.map((axis) => cell.panes.find((pane) => pane.axis === axis) ?? this.newPane(cell, axis));
    }
    this.active = this.panes.find((pane) => pane.axis === (this.active?.axis ?? activeAxis)) ?? this.panes[0] ?? null;
    this.hasOwnZoom = false;
    arrange(this);
    this.resized();
    this.onChange("layout");
  }

  newPane(cell, axis) {
    const pane = new Pane(this, cell.volume, axis);
    listen(pane);
    return pane;
  }

  setMode(mode) {
    this.mode = mode;
    this.resized();
    this.onChange("mode");
  }

  setSlab(slab) {
    this.slab = Math.min(THICKEST, Math.max(1, slab));
    this.refresh();
    this.onChange("slab");
  }

  setContrast(contrast) {
    this.contrast = { ...this.contrast, ...contrast };
    this.invalidate();
    this.onChange("contrast");
  }

  /** Narrow the window to the right, brighten upwards. */
  adjustContrast(right, up) {
    const gain = Math.min(50, Math.max(0.1, this.contrast.gain * Math.exp(right * 2)));
    const shift = Math.min(3, Math.max(-3, this.contrast.shift + up / gain));
    this.setContrast({ gain, shift });
  }

  /** The crosshair to a position, kept inside the first volume. */
  moveTo(position) {
    const { header } = this.cells[0].volume;
    for (const axis of AXES) {
      const last = extent(header, axis) - pixel(header);
      this.view.position[axis] = Math.min(last, Math.max(0, position[axis]));
    }
    this.refresh();
    this.onChange("position");
  }

  /** So many planes further along an axis. */
  step(axis, count) {
    if (!this.cells.length) return;
    const { header } = this.cells[0].volume;
    const voxel = voxelAt(header, axis, this.view.position[axis]) + count;
    this.moveTo({ ...this.view.position, [axis]: voxel * pixel(header) });
  }

  panBy(delta) {
    for (const [axis, length] of Object.entries(delta)) this.view.centre[axis] += length;
    this.invalidate();
  }

  zoomAt(pane, point, factor) {
    if (pane.isSpectrum) return;
    const fitting = this.fittingZoom();
    const limits = { least: fitting / 4, most: Math.max(fitting * ZOOM_RANGE, ZOOM_RANGE / pixel(pane.volume.header)) };
    this.view = zoomedAt(this.view, pane.axis, pane.size, point, factor, limits);
    this.hasOwnZoom = true;
    this.refresh();
    this.onChange("zoom");
  }

  /** All of the first volume in view. */
  fit() {
    this.hasOwnZoom = false;
    if (this.cells.length) {
      const { header } = this.cells[0].volume;
      for (const axis of AXES) this.view.centre[axis] = (extent(header, axis) - pixel(header)) / 2;
    }
    this.resized();
  }

  /** Zoom at which every plane of every volume fits its pane. */
  fittingZoom() {
    const zooms = this.panes.filter((pane) => pane.size.width).map((pane) => {
      const { columns, rows } = PLANES[pane.axis];
      const { header } = pane.volume;
      return Math.min(pane.size.width / extent(header, columns), pane.size.height / extent(header, rows));
    });
    return Math.min(...zooms) * 0.98;
  }

  resized() {
    if (!this.panes.some((pane) => pane.size.width)) return;
    if (!this.hasOwnZoom) this.view.zoom = this.fittingZoom();
    arrange(this);
    this.refresh();
  }

  activate(pane) {
    if (this.active === pane) return;
    this.active = pane;
    this.onChange("active");
  }

  hover(pane, point) {
    this.hovered = pane ? { pane, point } : null;
    this.onChange("hover");
  }

  /** Ask for the planes of this position, and draw. */
  refresh() {
    for (const pane of this.panes) pane.refresh();
    this.invalidate();
  }

  /** Draw before the next picture of the screen. */
  invalidate() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const pane of this.panes) pane.draw();
    });
  }
}
