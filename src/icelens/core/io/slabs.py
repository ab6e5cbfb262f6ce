"""Walk through a volume slab by slab, so that its size never matters."""

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError

_SLAB_BYTES = 1 << 25


@dataclass(frozen=True)
class Statistics:
    """Extremes, mean and standard deviation of all voxels."""

    minimum: float
    maximum: float
    mean: float
    std: float


def slabs(shape: tuple[int, ...], itemsize: int = 8) -> Iterator[slice]:
    """Slices along the first axis that hold at most 32 MiB each (but one section at least)."""
    step = max(1, _SLAB_BYTES // max(1, math.prod(shape[1:]) * itemsize))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def release_pages(array: npt.NDArray[np.generic]) -> None:
    """Let go of the memory that a memory map has touched; its file keeps every value.

    Pages of a map count as the process's memory until somebody else needs it. Called now and then
    by whoever streams through a volume, this keeps the peak at a few slabs. Plain arrays are left
    alone, and so are maps whose changes are private.
    """
    if not isinstance(array, np.memmap) or array.mode == "c":
        return
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def statistics(array: npt.NDArray[np.generic]) -> Statistics:
    """Statistics in float64; NaN where the values are not finite."""
    minimum, maximum, total, squares = math.inf, -math.inf, 0.0, 0.0
    # Sums are taken about the first value, so that a large offset costs no digits.
    offset = float(array.flat[0])
    for part in slabs(array.shape):
        values = np.asarray(array[part], np.float64)
        minimum = min(minimum, float(values.min()))
        maximum = max(maximum, float(values.max()))
        values = values - offset
        total += float(values.sum())
        squares += float(np.vdot(values, values))
        release_pages(array)
    mean = total / array.size
    variance = max(squares / array.size - mean * mean, 0.0)
    return Statistics(minimum, maximum, offset + mean, math.sqrt(variance))


def check_values(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Refuse a volume that holds NaN or infinity, or the same value everywhere.

    Args:
        path: Named in the error.
        array: Values `(z, y, x)`; read slab by slab.

    Raises:
        InputFileError: Naming the first voxel that is not finite, or the constant.
    """
    lowest, highest = math.inf, -math.inf
    for part in slabs(array.shape, array.dtype.itemsize):
        values = np.asarray(array[part])
        if not np.isfinite(values).all():
            bad = np.argwhere(~np.isfinite(values))
            z, y, x = (int(index) for index in bad[0])
            raise InputFileError(
                f"{path}: NaN or infinite at voxel (z, y, x) = ({part.start + z}, {y}, {x}) and at "
                f"{len(bad) - 1} more nearby; repair the volume or reconstruct it again"
            )
        lowest, highest = min(lowest, float(values.min())), max(highest, float(values.max()))
        release_pages(array)
    if lowest == highest:
        raise InputFileError(
            f"{path}: every voxel is {lowest:g}, expected a density; "
            "the file is probably the wrong one, or its reconstruction failed"
        )
