// Mouse, pen and fingers on a pane: steps, pans, zooms, contrast, and the crosshair.

import { PLANES, toPosition } from "./geometry.js";

const CLICK_PX = 4;
const NOTCH = 40;

/** Let a pane answer to the pointer; `viewer.tool`, if there is one, may take a press for itself. */
export function listen(pane) {
  const { canvas, viewer } = pane;
  const pointers = new Map();
  let drag = null;
  let wheel = 0;

  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const positionOf = (point) => toPosition(viewer.view, pane.axis, pane.size, point);

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    viewer.activate(pane);
    if (event.ctrlKey || event.metaKey) {
      viewer.zoomAt(pane, pointOf(event), Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0025)));
      return;
    }
    wheel += event.deltaY * (event.deltaMode ? NOTCH : 1);
    const steps = Math.trunc(wheel / NOTCH);
    wheel -= steps * NOTCH;
    if (steps) viewer.step(pane.axis, -steps * (event.shiftKey ? 10 : 1));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    viewer.activate(pane);
    pointers.set(event.pointerId, pointOf(event));
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 2) {
      drag = { kind: "pinch" };
      return;
    }
    const point = pointOf(event);
    drag = { start: point, last: point, isClick: true, kind: kindOf(event) };
    if (drag.kind === "pan" && !pane.isSpectrum && viewer.tool?.press(pane, point, event)) drag.kind = "tool";
    if (drag.kind === "cross") viewer.moveTo(positionOf(point));
  });

  canvas.addEventListener("pointermove", (event) => {
    const point = pointOf(event);
    viewer.hover(pane, point);
    if (!pointers.has(event.pointerId)) return;
    if (drag?.kind === "pinch") pinch(event.pointerId, point);
    pointers.set(event.pointerId, point);
    if (drag?.last) move(point);
  });

  const release = (event) => {
    pointers.delete(event.pointerId);
    if (!drag) return;
    const ended = drag;
    drag = null;
    if (event.type === "pointercancel") return;
    if (ended.kind === "tool") viewer.tool.release(pane, pointOf(event), event, ended.isClick);
    else if (ended.kind === "pan" && ended.isClick && !pane.isSpectrum) viewer.moveTo(positionOf(ended.start));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => viewer.hover(null, null));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("focus", () => viewer.activate(pane));

  function kindOf(event) {
    if (event.button === 2) return "contrast";
    if (event.button === 0 && event.shiftKey) return "cross";
    return "pan";
  }

  function move(point) {
    const delta = { x: point.x - drag.last.x, y: point.y - drag.last.y };
    if (Math.hypot(point.x - drag.start.x, point.y - drag.start.y) > CLICK_PX) drag.isClick = false;
    if (drag.isClick) return;
    drag.last = point;
    if (pane.isSpectrum) return;
    if (drag.kind === "pan") pan(delta);
    if (drag.kind === "cross") viewer.moveTo(positionOf(point));
    if (drag.kind === "contrast") viewer.adjustContrast(delta.x / 300, -delta.y / 300);
    if (drag.kind === "tool") viewer.tool.drag(pane, point);
  }

  function pan(delta) {
    const { columns, rows } = PLANES[pane.axis];
    viewer.panBy({ [columns]: -delta.x / viewer.view.zoom, [rows]: delta.y / viewer.view.zoom });
  }

  function pinch(id, point) {
    const other = [...pointers].find(([each]) => each !== id)?.[1];
    const before = pointers.get(id);
    if (!other || !before) return;
    const distance = (from) => Math.max(8, Math.hypot(from.x - other.x, from.y - other.y));
    viewer.zoomAt(pane, other, distance(point) / distance(before));
  }
}
