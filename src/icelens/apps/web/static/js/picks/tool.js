// What the pointer does to picks: choose, move, add, delete.

import { toPosition, isInside } from "../slices/geometry.js";

/** The tool of a viewer; presses that hit no pick are left to the viewer, except when adding. */
export class PickTool {
  constructor({ viewer, overlay, history, isReadOnly, kindToAdd, onSelect }) {
    Object.assign(this, { viewer, overlay, history, isReadOnly, kindToAdd, onSelect });
    this.mode = "select";
    this.held = null;
  }

  select(row) {
    this.overlay.selected = row;
    this.viewer.invalidate();
    this.onSelect(row);
  }

  press(pane, point) {
    const row = this.overlay.pickAt(pane, point);
    if (row === null) {
      if (this.mode !== "add") return false;
      this.held = { row: null };
      return true;
    }
    this.select(row);
    const from = this.overlay.picks.positionOf(row);
    const at = this.positionAt(pane, point);
    const grip = { z: at.z - from.z, y: at.y - from.y, x: at.x - from.x };
    this.held = { row, from, grip, wasMoved: this.overlay.picks.moved.has(row) };
    return true;
  }

  /** The pick follows the pointer within the plane; where it was gripped stays under it. */
  drag(pane, point) {
    const { held } = this;
    if (!held || this.isReadOnly || this.mode === "delete") return;
    if (held.row === null) {
      this.pan(pane, point);
      return;
    }
    const at = this.positionAt(pane, point);
    const to = { ...held.from };
    for (const axis of ["z", "y", "x"]) if (axis !== pane.axis) to[axis] = at[axis] - held.grip[axis];
    if (!this.isWithin(to)) return;
    held.to = to;
    this.overlay.picks.move(held.row, to);
    this.viewer.invalidate();
  }

  pan(pane, point) {
    const last = this.held.last ?? point;
    const before = this.positionAt(pane, last);
    const now = this.positionAt(pane, point);
    this.held.last = point;
    this.viewer.panBy({ z: before.z - now.z, y: before.y - now.y, x: before.x - now.x });
  }

  release(pane, point, event, isClick) {
    const { held } = this;
    this.held = null;
    if (!held || this.isReadOnly) return;
    if (held.to) {
      this.history().moved(held.row, held.from, held.to, held.wasMoved);
    } else if (isClick && this.mode === "delete" && held.row !== null) {
      this.remove(held.row);
    } else if (isClick && held.row === null) {
      const position = this.positionAt(pane, point);
      if (this.isWithin(position)) this.select(this.history().add(this.kindToAdd(), position));
    }
  }

  remove(row) {
    if (this.isReadOnly || row === null) return;
    this.history().remove(row);
    this.select(null);
  }

  positionAt(pane, point) {
    return toPosition(this.viewer.view, pane.axis, pane.size, point);
  }

  isWithin(position) {
    const { header } = this.viewer.volumes[0];
    return ["z", "y", "x"].every((axis) => isInside(header, axis, position[axis]));
  }
}
