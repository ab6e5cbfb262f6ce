"""Maps small enough for a surface in the browser: binned if they are large, kept for a while."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.apps.web.slices.opened import Stamp, stamp_of
from icelens.apps.web.slices.unpacked import Array, ZarrPlanes, unpacked
from icelens.core.errors import InputFileError
from icelens.core.io.volumes import read_header
from icelens.core.volumes.masks import usual_level

_MOST_KEPT = 4
# Noise reaches about as far to either side; density reaches farther.
_DARKER = 1.25
_SLAB_VALUES = 1 << 24


@dataclass(frozen=True, eq=False)
class ReducedMap:
    """A map as its surface is made.

    Attributes:
        field: Finite values `(z, y, x)`.
        pixel_size: Of the field, in Å; of a file that does not know it, in its voxels.
        offset: Centre of the field's first voxel from that of the file's, in the same unit.
        factor: Voxels of the file along each side of one of the field.
        is_scaled: Whether the file knows its pixel size.
        num_lacking: Voxels that had no finite value and count as the mean.
        quantiles: The 2, 50 and 98 percentile.
    """

    field: npt.NDArray[np.float32]
    pixel_size: float
    offset: float
    factor: int
    is_scaled: bool
    num_lacking: int
    mean: float
    std: float
    quantiles: tuple[float, float, float]

    @property
    def note(self) -> str:
        """How the map was reduced, as one reads it; empty if it was not."""
        words = []
        if self.factor > 1:
            shape = " x ".join(str(side) for side in self.field.shape)
            words.append(f"binned {self.factor} x to {shape} voxels")
        if self.num_lacking:
            words.append(f"{self.num_lacking} voxels without a value count as the mean")
        return "; ".join(words)

    @property
    def looks_dark(self) -> bool:
        """Whether what stands out most is below the mean, as protein is in raw tomograms."""
        below, above = self.mean - float(self.field.min()), float(self.field.max()) - self.mean
        return below > _DARKER * above

    def usual_level(self, *, is_dark: bool = False) -> float:
        """The level to begin with: half of the highest, but above the noise.

        Args:
            is_dark: Whether density is negative.
        """
        signed = -self.field if is_dark else self.field
        mean = -self.mean if is_dark else self.mean
        level = max(usual_level(torch.from_numpy(signed)), mean + 2.0 * self.std)
        if not level < float(signed.max()):
            level = 0.5 * (mean + float(signed.max()))
        return -level if is_dark else level


_kept: OrderedDict[tuple[Path, int], tuple[Stamp, ReducedMap]] = OrderedDict()


def reduced_map(path: Path, largest: int) -> ReducedMap:
    """The map with no side longer than `largest` voxels, from the cache if its file is the same.

    Raises:
        InputFileError: If it is no volume, or has the same value everywhere.
    """
    key, stamp = (path, largest), stamp_of(path)
    found = _kept.pop(key, None)
    if found is None or found[0] != stamp:
        found = (stamp, _read(path, largest))
    _kept[key] = found
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return found[1]


def _read(path: Path, largest: int) -> ReducedMap:
    header = read_header(path)
    factor = -(-max(header.shape) // largest)
    field = _binned(unpacked(path, header), factor)
    is_lacking = ~np.isfinite(field)
    values = field[~is_lacking]
    if not len(values) or values.min() == values.max():
        what = f"is {values[0]:g}" if len(values) else "lacks a finite value"
        raise InputFileError(f"{path}: every voxel {what}, so that there is no surface")
    mean = float(values.mean(dtype=np.float64))
    field[is_lacking] = mean
    unit = header.pixel_size or 1.0
    low, middle, high = (float(value) for value in np.percentile(values, (2, 50, 98)))
    return ReducedMap(
        field=field,
        pixel_size=unit * factor,
        offset=0.5 * (factor - 1) * unit,
        factor=factor,
        is_scaled=header.pixel_size is not None,
        num_lacking=int(is_lacking.sum()),
        mean=mean,
        std=float(values.std(dtype=np.float64)),
        quantiles=(low, middle, high),
    )


def _binned(array: Array | ZarrPlanes, factor: int) -> npt.NDArray[np.float32]:
    """Means of cubes; what does not fill one at the far ends is left out, unless it is all."""
    sides = [max(1, side // factor) for side in array.shape]
    result = np.empty(sides, np.float32)
    step = max(1, _SLAB_VALUES // max(1, factor * array.shape[1] * array.shape[2]))
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, sides[0], step):
            last = min(sides[0], first + step)
            part = np.asarray(array[first * factor : last * factor], np.float32)
            for axis in range(3):
                part = _means(part, axis, factor)
            result[first:last] = part
    return result


def _means(values: npt.NDArray[np.float32], axis: int, factor: int) -> npt.NDArray[np.float32]:
    """Means of so many neighbours along an axis; of all where there are fewer."""
    side = values.shape[axis]
    used = min(factor, side)
    cut = np.moveaxis(values, axis, 0)[: side // used * used]
    return np.moveaxis(cut.reshape(-1, used, *cut.shape[1:]).mean(axis=1), 0, axis)
