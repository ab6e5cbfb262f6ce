// What lies over the plot: the lasso, the particle under the cursor, clicked points, the path, labels of clusters.
import { tokens } from "../tokens.js";
import { canvasPen } from "./pens.js";

const SUPPORT = { supported: "done", sparse: "waiting", extrapolated: "failed" };

export class Overlay {
  /** Over a scatter plot, on a canvas of its own: moving the mouse redraws no density. */
  constructor(canvas, scatter) {
    this.canvas = canvas;
    this.scatter = scatter;
    this.items = { lasso: null, hover: null, point: null, anchors: [], path: [], at: -1, labels: [] };
  }

  /** Change some of: lasso (px), hover, point, anchors, path ([{x, y, support}]), at, labels. */
  set(items) {
    Object.assign(this.items, items);
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  draw() {
    const { scatter, canvas } = this, scale = window.devicePixelRatio || 1;
    if (canvas.width !== scatter.canvas.width || canvas.height !== scatter.canvas.height) {
      canvas.width = scatter.canvas.width;
      canvas.height = scatter.canvas.height;
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, scatter.width, scatter.height);
    const { left, top, width, height } = scatter.box;
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    this.drawWith(canvasPen(context, this.colours()));
    const { lasso, hover } = this.items;
    if (lasso?.length > 1) canvasPen(context, this.colours()).path(lasso, "accent", 1.5, true);
    if (hover) canvasPen(context, this.colours()).disc(...scatter.toPx(hover.x, hover.y), 4, "transparent", "ink");
    context.restore();
  }

  /** What belongs into an exported picture, too. */
  drawWith(pen) {
    const { scatter, items } = this;
    const places = items.path.map((each) => scatter.toPx(each.x, each.y));
    if (places.length > 1) {
      pen.path(places, "ground", 5);
      pen.path(places, "ink", 2);
    }
    places.forEach((place, i) => pen.disc(...place, i === items.at ? 7 : 4, SUPPORT[items.path[i].support] ?? "ink", i === items.at ? "ink" : "ground"));
    for (const { x, y } of items.anchors) pen.disc(...scatter.toPx(x, y), 6, "accent", "ground");
    if (items.point) {
      const [px, py] = scatter.toPx(items.point.x, items.point.y);
      for (const [colour, width] of [["ground", 5], ["ink", 2]]) {
        pen.line(px - 9, py, px + 9, py, colour, width);
        pen.line(px, py - 9, px, py + 9, colour, width);
      }
    }
    for (const { x, y, text } of items.labels) pen.text(...scatter.toPx(x, y), text, { anchor: "middle", halo: true });
  }

  colours() {
    return tokens({ ink: "text", muted: "muted", accent: "accent", ground: "surface", done: "done", waiting: "waiting", failed: "failed" }, this.canvas);
  }
}
