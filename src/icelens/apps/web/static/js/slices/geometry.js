// Where voxels lie on the screen: planes, their axes, and the view that all panes share.

export const AXES = ["z", "y", "x"];

// Axis across each plane, and those along its columns and rows; rows go up, as in the field's viewers.
export const PLANES = {
  z: { name: "xy", columns: "x", rows: "y" },
  y: { name: "xz", columns: "x", rows: "z" },
  x: { name: "yz", columns: "z", rows: "y" },
};

/** Length of a volume along an axis, in its unit (Å, or voxels where the pixel size is unknown). */
export function extent(header, axis) {
  return header.shape[AXES.indexOf(axis)] * pixel(header);
}

/** Å per voxel; 1 where the file does not know. */
export function pixel(header) {
  return header.pixel_size ?? 1;
}

/** The voxel along an axis that a position lies in, kept inside the volume. */
export function voxelAt(header, axis, position) {
  const last = header.shape[AXES.indexOf(axis)] - 1;
  return Math.min(last, Math.max(0, Math.round(position / pixel(header))));
}

/** Whether a position lies inside the volume along an axis. */
export function isInside(header, axis, position) {
  const voxel = position / pixel(header);
  return voxel >= -0.5 && voxel <= header.shape[AXES.indexOf(axis)] - 0.5;
}

/** A point of a pane from a position; `view` has centre {z, y, x} and zoom in screen px per Å. */
export function toScreen(view, axis, size, position) {
  const { columns, rows } = PLANES[axis];
  return {
    x: size.width / 2 + (position[columns] - view.centre[columns]) * view.zoom,
    y: size.height / 2 - (position[rows] - view.centre[rows]) * view.zoom,
  };
}

/** The position under a point of a pane; along the axis across it, the crosshair's. */
export function toPosition(view, axis, size, point) {
  const { columns, rows } = PLANES[axis];
  return {
    ...view.position,
    [columns]: view.centre[columns] + (point.x - size.width / 2) / view.zoom,
    [rows]: view.centre[rows] - (point.y - size.height / 2) / view.zoom,
  };
}

/** Corner and sides on the screen of a plane of the volume; voxel 0 begins half a voxel before 0. */
export function imageRectangle(view, axis, size, header) {
  const { columns, rows } = PLANES[axis];
  const half = pixel(header) / 2;
  const top = toScreen(view, axis, size, {
    [columns]: -half,
    [rows]: extent(header, rows) - half,
  });
  return {
    ...top,
    width: extent(header, columns) * view.zoom,
    height: extent(header, rows) * view.zoom,
  };
}

/** The zoom about a point of a pane: what is under it stays there. */
export function zoomedAt(view, axis, size, point, factor, limits) {
  const before = toPosition(view, axis, size, point);
  const zoom = Math.min(limits.most, Math.max(limits.least, view.zoom * factor));
  const after = toPosition({ ...view, zoom }, axis, size, point);
  const centre = { ...view.centre };
  for (const each of [PLANES[axis].columns, PLANES[axis].rows]) {
    centre[each] += before[each] - after[each];
  }
  return { ...view, zoom, centre };
}

/** A length of 1, 2 or 5 times a power of ten that is at most `most`. */
export function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = [5, 2, 1].find((each) => each * power <= most * 1.0001) ?? 1;
  return factor * power;
}

/** A length as one reads it: nm from 10 nm on. */
export function lengthText(length, unit) {
  if (unit === "Å" && length >= 10000) return `${length / 10000} µm`;
  if (unit === "Å" && length >= 100) return `${length / 10} nm`;
  return `${length} ${unit}`;
}
