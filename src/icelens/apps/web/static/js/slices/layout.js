// Where panes stand: volumes side by side, and within one the three planes edge to edge.

import { extent } from "./geometry.js";
import { namesOf } from "./names.js";

const LEAST_SHARE = 0.14;

/** Put the panes of a viewer into its stage. */
export function arrange(viewer) {
  const { stage, cells, layout } = viewer;
  const columns = numColumns(viewer);
  stage.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  stage.style.gridTemplateRows = `repeat(${Math.ceil(cells.length / columns)}, minmax(0, 1fr))`;
  const names = namesOf(viewer.volumes);
  cells.forEach((cell, place) => {
    cell.element ??= newCell(viewer, cell);
    cell.element.setAttribute("aria-label", names[place]);
    cell.element.querySelector(".slices-name").textContent = names[place];
    cell.element.classList.toggle("is-three", layout === "all");
    const box = cell.element.querySelector(".slices-planes");
    for (const pane of cell.panes) {
      pane.element.dataset.axis = pane.axis;
      if (pane.element.parentElement !== box) box.append(pane.element);
    }
    shareOut(box, cell.volume.header, layout);
  });
  const wanted = cells.map((cell) => cell.element);
  for (const child of [...stage.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((element, place) => {
    if (stage.children[place] !== element) stage.insertBefore(element, stage.children[place] ?? null);
  });
}

/** As many columns as make the panes largest for the shape of the volumes. */
function numColumns({ stage, cells, layout, mode }) {
  if (cells.length < 2) return 1;
  const { header } = cells[0].volume;
  const [wide, high] = mode === "spectrum" && layout !== "all" ? [1, 1] : shapeOf(header, layout);
  const { clientWidth: width, clientHeight: height } = stage;
  let best = { columns: 1, zoom: 0 };
  for (let columns = 1; columns <= cells.length; columns += 1) {
    const rows = Math.ceil(cells.length / columns);
    const zoom = Math.min(width / columns / wide, height / rows / high);
    if (zoom > best.zoom * 1.001) best = { columns, zoom };
  }
  return best.columns;
}

function shapeOf(header, layout) {
  const [z, y, x] = ["z", "y", "x"].map((axis) => extent(header, axis));
  return { all: [x + z, y + z], z: [x, y], y: [x, z], x: [z, y] }[layout];
}

/** Room for each plane by its sides, but never so little that it cannot be read. */
function shareOut(box, header, layout) {
  if (layout !== "all") {
    box.style.gridTemplateColumns = "minmax(0, 1fr)";
    box.style.gridTemplateRows = "minmax(0, 1fr)";
    return;
  }
  const [z, y, x] = ["z", "y", "x"].map((axis) => extent(header, axis));
  const share = (side) => Math.min(0.5, Math.max(LEAST_SHARE, z / (z + side)));
  const tracks = (part) => `minmax(0, ${1 - part}fr) minmax(0, ${part}fr)`;
  box.style.gridTemplateColumns = tracks(share(x));
  box.style.gridTemplateRows = tracks(share(y));
}

function newCell(viewer, cell) {
  const element = document.createElement("section");
  element.className = "slices-cell";
  const head = document.createElement("header");
  const name = document.createElement("span");
  name.className = "slices-name";
  name.title = cell.volume.file;
  const value = document.createElement("output");
  value.className = "slices-value number";
  head.append(name, value);
  const planes = document.createElement("div");
  planes.className = "slices-planes";
  element.append(head, planes);
  cell.value = value;
  return element;
}
