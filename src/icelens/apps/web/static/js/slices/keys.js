// Keys of the viewers: planes, steps, zoom and slab, wherever no field has the focus.

import { PLANES } from "./geometry.js";

const LAYOUTS = { 1: "z", 2: "y", 3: "x", 4: "all" };

/** Let the keyboard steer a viewer; `more` maps further keys to functions. */
export function listenToKeys(viewer, more = {}) {
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.altKey) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const name = `${isCommand ? "ctrl+" : ""}${event.shiftKey && event.key.length > 1 ? "shift+" : ""}${event.key}`;
    const action = more[name] ?? (isCommand ? undefined : actionOf(viewer, event));
    if (!action || !viewer.cells.length) return;
    event.preventDefault();
    action();
  });
}

function isTyping(target) {
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return target.tagName === "INPUT" && !["checkbox", "radio"].includes(target.type);
}

function actionOf(viewer, event) {
  const { key } = event;
  const axis = viewer.active?.axis ?? "z";
  const { columns, rows } = PLANES[axis];
  const far = event.shiftKey ? 10 : 1;
  const along = (which, count) => () => viewer.step(which, count * far);
  const zoom = (factor) => () => {
    const pane = viewer.active;
    viewer.zoomAt(pane, { x: pane.size.width / 2, y: pane.size.height / 2 }, factor);
  };
  const actions = {
    ArrowLeft: along(columns, -1),
    ArrowRight: along(columns, 1),
    ArrowUp: along(rows, 1),
    ArrowDown: along(rows, -1),
    PageUp: along(axis, 1),
    PageDown: along(axis, -1),
    ".": along(axis, 1),
    ",": along(axis, -1),
    ">": along(axis, 1),
    "<": along(axis, -1),
    "+": zoom(1.25),
    "=": zoom(1.25),
    "-": zoom(0.8),
    0: () => viewer.fit(),
    f: () => viewer.fit(),
    i: () => viewer.setContrast({ isInverted: !viewer.contrast.isInverted }),
    p: () => viewer.setMode(viewer.mode === "slice" ? "spectrum" : "slice"),
    "[": () => viewer.setSlab(viewer.slab - 2),
    "]": () => viewer.setSlab(viewer.slab + 2),
    c: () => centreHere(viewer),
  };
  if (LAYOUTS[key]) return () => viewer.setLayout(LAYOUTS[key]);
  return actions[key];
}

/** The crosshair into the middle of every pane. */
function centreHere(viewer) {
  for (const axis of Object.keys(PLANES)) viewer.view.centre[axis] = viewer.view.position[axis];
  viewer.invalidate();
}
