// Circles over the planes: as large as the particle, fainter the farther its centre lies.

import { toScreen } from "../slices/geometry.js";
import { imageInks } from "../tokens.js";
import { scoreColour, styleOf } from "./colours.js";

const FAINTEST = 0.3;
const MOST_CIRCLES = 20000;

/** Draws picks over the planes of a viewer, and finds the one under the pointer. */
export class Overlay {
  constructor(viewer) {
    this.viewer = viewer;
    this.picks = null;
    this.reference = null;
    this.selected = null;
    this.colourBy = "class";
    this.radius = 100; // Å, of classes that do not know theirs
    this.range = { low: 0, high: 1 };
    viewer.overlays.push((context, pane) => this.draw(context, pane));
  }

  radiusOf(picks, row) {
    return picks.classes[picks.kind[row]].radius ?? this.radius;
  }

  reach(picks) {
    return Math.max(this.radius, ...picks.classes.map((each) => each.radius ?? 0));
  }

  draw(context, pane) {
    if (this.reference) this.drawAll(context, pane, this.reference, true);
    if (this.picks) this.drawAll(context, pane, this.picks, false);
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  drawAll(context, pane, picks, isReference) {
    const { view } = this.viewer;
    const middle = view.position[pane.axis];
    let drawn = 0;
    picks.near(pane.axis, middle, this.reach(picks), (row) => {
      const radius = this.radiusOf(picks, row);
      const distance = Math.abs(picks.place[pane.axis][row] - middle);
      if (distance > radius || drawn > MOST_CIRCLES || !picks.isShown(row)) return;
      const at = toScreen(view, pane.axis, pane.size, picks.positionOf(row));
      const size = Math.max(3, radius * view.zoom);
      if (at.x < -size || at.y < -size || at.x > pane.size.width + size || at.y > pane.size.height + size) return;
      drawn += 1;
      context.globalAlpha = Math.max(FAINTEST, 1 - distance / radius);
      if (isReference) this.drawReference(context, at, size);
      else this.drawPick(context, picks, row, at, size);
    });
  }

  drawReference(context, at, size) {
    const square = [at.x - size, at.y - size, 2 * size, 2 * size];
    context.setLineDash([]);
    context.lineWidth = 2.5;
    context.strokeStyle = imageInks().rim;
    context.strokeRect(...square);
    context.setLineDash([3, 3]);
    context.lineWidth = 1.25;
    context.strokeStyle = imageInks().ink;
    context.strokeRect(...square);
  }

  drawPick(context, picks, row, at, size) {
    const { colour, dash } = styleOf(picks.kind[row]);
    const isSelected = row === this.selected;
    const { low, high } = this.range;
    context.strokeStyle = this.colourBy === "score" ? scoreColour(picks.score[row], low, high) : colour;
    context.setLineDash(dash);
    context.lineWidth = isSelected ? 3 : 2;
    if (isSelected) context.globalAlpha = 1;
    context.beginPath();
    context.arc(at.x, at.y, size, 0, 2 * Math.PI);
    context.stroke();
    if (isSelected || row >= picks.numBase || picks.moved.has(row)) {
      context.setLineDash([]);
      context.lineWidth = 1;
      context.strokeStyle = isSelected ? imageInks().ink : context.strokeStyle;
      context.beginPath(); // a cross marks what is chosen or was changed
      context.moveTo(at.x - 4, at.y);
      context.lineTo(at.x + 4, at.y);
      context.moveTo(at.x, at.y - 4);
      context.lineTo(at.x, at.y + 4);
      context.stroke();
    }
  }

  /** The shown pick whose circle holds a point of a pane, the one with the nearest centre; or null. */
  pickAt(pane, point) {
    const { picks, viewer } = this;
    let best = null;
    let least = Infinity;
    const middle = viewer.view.position[pane.axis];
    picks?.near(pane.axis, middle, this.reach(picks), (row) => {
      const radius = this.radiusOf(picks, row);
      if (!picks.isShown(row) || Math.abs(picks.place[pane.axis][row] - middle) > radius) return;
      const at = toScreen(viewer.view, pane.axis, pane.size, picks.positionOf(row));
      const distance = Math.hypot(at.x - point.x, at.y - point.y);
      if (distance < least && distance <= Math.max(8, radius * viewer.view.zoom)) {
        best = row;
        least = distance;
      }
    });
    return best;
  }
}
