"""One plane of a volume as it is looked at: xy, xz or yz, averaged over a slab, maybe binned."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from icelens.apps.web.slices.unpacked import Array, ZarrPlanes
from icelens.core.errors import GeometryError

Axis = Literal["z", "y", "x"]
Plane = npt.NDArray[np.float32]

LARGEST_PLANE = 1 << 26
"""Voxels of a plane that are shown at most."""
THICKEST_SLAB = 21
# Rows of voxels along x are cut for several sections at once: few calls, little memory.
_SECTIONS = 32


def plane(array: Array | ZarrPlanes, axis: Axis, index: int, *, slab: int = 1) -> Plane:
    """The plane across an axis, float32: rows y and columns x, or rows z and x, or rows y and z.

    Args:
        array: Values `(z, y, x)`.
        axis: What the plane is perpendicular to.
        index: Voxel along it.
        slab: Planes that are averaged about the index; those outside the volume are left out.

    Raises:
        GeometryError: If the index lies outside the volume, or the plane is too large to show.
    """
    number = "zyx".index(axis)
    side = array.shape[number]
    if not 0 <= index < side:
        raise GeometryError(f"no plane {axis} = {index}; the volume has 0 to {side - 1}")
    rows, columns = (n for place, n in enumerate(array.shape) if place != number)
    if rows * columns > LARGEST_PLANE:
        raise GeometryError(
            f"a plane of {rows} x {columns} voxels is too large to show; bin the volume first"
        )
    start, stop = max(0, index - (slab - 1) // 2), min(side, index + slab // 2 + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        if axis == "x":
            return _across_x(array, start, stop)
        total = _one(array, axis, start)
        for each in range(start + 1, stop):
            total += _one(array, axis, each)
        return total / np.float32(stop - start) if stop - start > 1 else total


def binned(values: Plane, largest: int) -> tuple[Plane, int]:
    """The plane with no side longer than `largest`, by means of squares, and their side in px.

    Squares that reach beyond the end are means of what is there.
    """
    factor = -(-max(values.shape) // largest)
    if factor <= 1:
        return values, 1
    rows, columns = (np.arange(0, side, factor) for side in values.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    sizes = [
        np.diff(np.append(starts, side))
        for starts, side in zip((rows, columns), values.shape, strict=True)
    ]
    return np.asarray(sums / np.outer(*sizes), np.float32), factor


def _one(array: Array | ZarrPlanes, axis: Axis, index: int) -> Plane:
    """A copy, in the byte order of the machine."""
    found = array[index] if axis == "z" else array[:, index]
    return np.array(found, np.float32)


def _across_x(array: Array | ZarrPlanes, start: int, stop: int) -> Plane:
    num_z, num_y, _ = array.shape
    result = np.empty((num_y, num_z), np.float32)
    # chunks of a Zarr image are large already
    step = num_z if isinstance(array, ZarrPlanes) else _SECTIONS
    for first in range(0, num_z, step):
        part = array[first : first + step, :, start:stop]
        values = part[:, :, 0] if stop - start == 1 else part.astype(np.float32).mean(axis=2)
        result[:, first : first + step] = values.T
    return result
