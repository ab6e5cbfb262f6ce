// Mouse, touch and keys over the scatter plot: pan, zoom, lasso, hover and click.

const STEP = 40;
const CLICK = 4;

/**
 * Listen on the plot.
 *
 * tool() says "pan" or "lasso"; on: {hover(px, py), leave(), click(px, py), outline(points, isDone, event)}
 */
export function listen(element, scatter, tool, on) {
  const where = (event) => {
    const frame = element.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  let drag = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const start = where(event);
    const isLasso = tool() === "lasso";
    drag = { start, last: start, isLasso, moved: false, outline: [start] };
  });
  element.addEventListener("pointermove", (event) => {
    const [px, py] = where(event);
    if (!drag) return on.hover(px, py);
    drag.moved ||= Math.hypot(px - drag.start[0], py - drag.start[1]) > CLICK;
    if (!drag.moved) return undefined;
    if (drag.isLasso) {
      drag.outline.push([px, py]);
      on.outline(drag.outline, false, event);
    } else scatter.pan(px - drag.last[0], py - drag.last[1]);
    drag.last = [px, py];
    return undefined;
  });
  const end = (event) => {
    if (!drag) return;
    const done = drag;
    drag = null;
    if (!done.moved) on.click(...done.start, event);
    else if (done.isLasso) on.outline(done.outline, true, event);
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", () => { drag = null; on.outline([], false, null); });
  element.addEventListener("pointerleave", () => on.leave());
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    scatter.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), ...where(event));
  }, { passive: false });
  element.addEventListener("dblclick", () => scatter.reset());
  element.addEventListener("keydown", (event) => {
    const does = KEYS[event.key];
    if (!does || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    does(scatter);
  });
}

const KEYS = {
  ArrowLeft: (scatter) => scatter.pan(STEP, 0),
  ArrowRight: (scatter) => scatter.pan(-STEP, 0),
  ArrowUp: (scatter) => scatter.pan(0, STEP),
  ArrowDown: (scatter) => scatter.pan(0, -STEP),
  "+": (scatter) => scatter.zoom(0.8),
  "=": (scatter) => scatter.zoom(0.8),
  "-": (scatter) => scatter.zoom(1.25),
  0: (scatter) => scatter.reset(),
};
