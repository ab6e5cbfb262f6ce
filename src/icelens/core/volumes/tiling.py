"""Cut a volume into overlapping tiles and blend the processed tiles back, in bounded memory.

`blend(cut(volume)) == volume` to float32 rounding whatever box, margin and ramp: along each axis
the windows are normalised to sum to one at every voxel. Only one slab of tiles is held at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AxisTiling:
    """Tiles along one axis: `starts` of the boxes (may be negative) and their blending windows."""

    starts: tuple[int, ...]
    windows: npt.NDArray[np.float64]  # (tile, voxel in box), sums to one over tiles


def tile_axis(size: int, box: int, margin: int, ramp: int) -> AxisTiling:
    """Place boxes of `box` voxels evenly along `size` voxels.

    At least `margin` voxels at both ends of a box are dropped, and neighbours fade into each
    other over at least `ramp` voxels. Boxes are spread evenly, so that what the last one would
    waste becomes margin for all.
    """
    step = box - 2 * margin - ramp
    if step < 1:
        raise GeometryError(
            f"a tile of {box} voxels cannot lose {margin} on both sides and blend over {ramp}; "
            f"choose a tile of at least {2 * margin + ramp + 1}"
        )
    count = max(1, math.ceil((size - ramp) / step))
    spacing = max(1, math.ceil((size - ramp) / count))
    kept = spacing + ramp
    lead = (box - kept) // 2
    starts = tuple(i * spacing - lead for i in range(count))
    profile = np.zeros(box)
    edge = np.minimum(np.arange(1, kept + 1), np.arange(kept, 0, -1)) / (ramp + 1)
    profile[lead : lead + kept] = np.minimum(edge, 1.0)
    total = np.zeros(size)
    for start in starts:
        inside = _inside(start, box, size)
        total[inside] += profile[inside.start - start : inside.stop - start]
    windows = np.zeros((count, box))
    for tile, start in enumerate(starts):
        inside = _inside(start, box, size)
        own = slice(inside.start - start, inside.stop - start)
        windows[tile, own] = profile[own] / total[inside]
    return AxisTiling(starts, windows)


@dataclass(frozen=True)
class Tiling:
    """Tiles of `box` (z, y, x) voxels over a volume of `shape`."""

    shape: tuple[int, int, int]
    box: tuple[int, int, int]
    margin: int
    ramp: int

    @cached_property
    def axes(self) -> tuple[AxisTiling, AxisTiling, AxisTiling]:
        """The tilings of z, y and x."""
        z, y, x = (
            tile_axis(size, box, self.margin, self.ramp)
            for size, box in zip(self.shape, self.box, strict=True)
        )
        return z, y, x

    def __len__(self) -> int:
        """Number of tiles."""
        return math.prod(len(axis.starts) for axis in self.axes)

    def layers(self) -> Iterator[list[tuple[int, int, int]]]:
        """Indices (z, y, x) of the tiles, one layer of equal z after the other."""
        nz, ny, nx = (len(axis.starts) for axis in self.axes)
        for z in range(nz):
            yield [(z, y, x) for y, x in product(range(ny), range(nx))]

    def cut(self, volume: npt.NDArray[np.generic], tile: tuple[int, int, int]) -> Array:
        """The box of a tile as float32; what lies outside the volume is mirrored in."""
        starts = [axis.starts[i] for axis, i in zip(self.axes, tile, strict=True)]
        return cut_mirrored(volume, starts, self.box)


class Blender:
    """Adds processed tiles layer by layer and hands out the slabs of voxels that are complete."""

    def __init__(self, tiling: Tiling) -> None:
        self.tiling = tiling
        self.finished = 0
        _, height, width = tiling.shape
        self._slab = np.zeros((0, height, width), np.float32)  # begins at voxel z = finished

    def add(self, tile: tuple[int, int, int], values: Array) -> None:
        """Add a processed box of shape `tiling.box`, weighted by its window."""
        box, shape = self.tiling.box, self.tiling.shape
        pieces = []
        for axis, index, size, length in zip(self.tiling.axes, tile, shape, box, strict=True):
            window = axis.windows[index]
            used = np.flatnonzero(window)
            begin, end = int(used[0]), int(used[-1]) + 1
            pieces.append((axis.starts[index] + begin, slice(begin, end), window[begin:end]))
            assert axis.starts[index] + end <= size
            assert end <= length
        (z, cut_z, wz), (y, cut_y, wy), (x, cut_x, wx) = pieces
        self._reserve(z + len(wz))
        weight = (wz[:, None, None] * wy[:, None] * wx).astype(np.float32)
        first = z - self.finished
        region = self._slab[first : first + len(wz), y : y + len(wy), x : x + len(wx)]
        region += weight * values[cut_z, cut_y, cut_x]

    def finish_layer(self, layer: int) -> tuple[int, Array]:
        """First voxel and values of the slab that no later layer will touch."""
        axis = self.tiling.axes[0]
        if layer + 1 < len(axis.starts):
            begin = int(np.flatnonzero(axis.windows[layer + 1])[0])
            end = axis.starts[layer + 1] + begin
        else:
            end = self.tiling.shape[0]
        start, count = self.finished, end - self.finished
        done, self._slab = self._slab[:count], self._slab[count:].copy()
        self.finished = end
        return start, done

    def _reserve(self, end: int) -> None:
        missing = end - self.finished - len(self._slab)
        if missing > 0:
            more = np.zeros((missing, *self._slab.shape[1:]), np.float32)
            self._slab = np.concatenate([self._slab, more])


def cut_mirrored(
    volume: npt.NDArray[np.generic], starts: list[int], box: tuple[int, int, int]
) -> Array:
    """Cut a box anywhere, also beyond the border, where the volume is mirrored.

    Mirroring repeats no voxel plane (`... c b | a b c ...` is read as `b a b`), and goes on
    periodically, so that any thickness serves any box.
    """
    result: npt.NDArray[np.generic] = volume
    beyond = []
    for axis, (start, length) in enumerate(zip(starts, box, strict=True)):
        if start >= 0 and start + length <= volume.shape[axis]:
            result = result[(slice(None),) * axis + (slice(start, start + length),)]
        else:
            beyond.append(axis)
    # planes are copied last, from what is left after slicing the other axes
    for axis in beyond:
        indices = mirrored_indices(starts[axis], box[axis], volume.shape[axis])
        result = np.take(result, indices, axis=axis)
    return np.ascontiguousarray(result, dtype=np.float32)


def mirrored_indices(start: int, length: int, size: int) -> npt.NDArray[np.intp]:
    """Indices `start ... start + length - 1` folded back into `0 ... size - 1`."""
    if size == 1:
        return np.zeros(length, np.intp)
    period = 2 * (size - 1)
    folded = np.arange(start, start + length) % period
    return np.where(folded < size, folded, period - folded).astype(np.intp)


def _inside(start: int, box: int, size: int) -> slice:
    return slice(max(start, 0), min(start + box, size))
