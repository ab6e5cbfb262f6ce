// The line under the planes: where the pointer is, in voxels and Å, and the value there.

import { AXES, PLANES, toPosition, voxelAt } from "./geometry.js";

/** A value with the digits it deserves. */
function valueText(value) {
  if (value === null) return "";
  if (Number.isNaN(value)) return "no value";
  return Number(value.toPrecision(4)).toString();
}

/** Position and value under the pointer; of the crosshair while no pane is pointed at. */
export function showReadout(root, viewer) {
  const line = root.querySelector("[data-slices=readout]");
  const header = viewer.volumes[0]?.header;
  if (!header) {
    line.textContent = "";
    return;
  }
  if (viewer.mode === "spectrum") {
    showResolution(line, viewer);
    return;
  }
  const { pane, point } = viewer.hovered ?? {};
  // the planes may have moved under a resting pointer
  const position = pane ? toPosition(viewer.view, pane.axis, pane.size, point) : viewer.view.position;
  const words = AXES.toReversed().map((axis) => {
    const voxel = voxelAt(header, axis, position[axis]);
    return header.pixel_size ? `${axis} ${voxel} (${position[axis].toFixed(1)} Å)` : `${axis} ${voxel}`;
  });
  line.textContent = `${viewer.hovered ? "Pointer" : "Crosshair"}  ${words.join("   ")}`;
  const axis = pane?.axis ?? viewer.active?.axis;
  for (const cell of viewer.cells) {
    const shown = cell.panes.find((each) => each.axis === axis) ?? cell.panes[0];
    const text = shown ? valueText(shown.valueAt(position)) : "";
    cell.value.textContent = text && `${PLANES[shown.axis].name}: ${text}`;
  }
}

/** The resolution under the pointer. */
function showResolution(line, viewer) {
  for (const cell of viewer.cells) cell.value.textContent = "";
  const { pane, point } = viewer.hovered ?? {};
  const resolution = pane ? pane.resolutionAt(point) : null;
  const unit = pane?.volume.header.pixel_size ? "Å" : "px";
  line.textContent = resolution === null ? "" : `Pointer  ${Number(resolution.toPrecision(3))} ${unit}`;
}
