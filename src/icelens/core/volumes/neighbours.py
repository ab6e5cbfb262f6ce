"""Compare single voxels of a volume with their 26 neighbours, without touching the others."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Voxels = npt.NDArray[np.intp]
FloatVolume = npt.NDArray[np.floating[Any]]

STEPS = tuple(
    sorted(
        (step for step in product((-1, 0, 1), repeat=3) if any(step)),
        key=lambda step: sum(map(abs, step)),
    )
)
"""Steps (z, y, x) to the 26 neighbours; those across faces first, as they refute most maxima."""
_SLAB = 1 << 22  # voxels looked at together, so that memory is bounded where most are high


def local_maxima(volume: FloatVolume, threshold: float) -> Voxels:
    """Flat indices, ascending, of voxels of at least `threshold` that no neighbour exceeds.

    All voxels of a flat top are among them. NaN is none, and hides none.
    """
    flat, shape = volume.reshape(-1), volume.shape
    plane = shape[1] * shape[2]
    thickness = max(1, _SLAB // plane)
    # Compared in the volume's own type: a float32 would turn a whole half-precision slab into one.
    lowest = np.asarray(threshold, volume.dtype)
    found = []
    for begin in range(0, shape[0], thickness):
        above = np.flatnonzero(volume[begin : begin + thickness] >= lowest) + begin * plane
        zyx = coordinates(above, shape)
        values = flat[above]
        for step in STEPS:
            is_highest = ~(flat[neighbour(zyx, step, shape)] > values)
            zyx, values = zyx[:, is_highest], values[is_highest]
        found.append(np.ravel_multi_index(tuple(zyx), shape).astype(np.intp))
    return np.concatenate(found)


def equal_pairs(volume: FloatVolume, voxels: Voxels) -> Iterator[tuple[Voxels, Voxels]]:
    """For each step, which of `voxels` (by number) have a neighbour as high, and its flat index."""
    flat = volume.reshape(-1)
    zyx = coordinates(voxels, volume.shape)
    values = flat[voxels]
    for step in STEPS:
        other = neighbour(zyx, step, volume.shape)
        numbers = np.flatnonzero((flat[other] == values) & (other != voxels))
        yield numbers, other[numbers]


def coordinates(voxels: Voxels, shape: tuple[int, ...]) -> Voxels:
    """Indices (3, voxel) along z, y and x of flat indices."""
    return np.array(np.unravel_index(voxels, shape), np.intp).reshape(3, -1)


def neighbour(zyx: Voxels, step: tuple[int, ...], shape: tuple[int, ...]) -> Voxels:
    """Flat indices of the voxels one `step` away.

    A step out of the volume is cut short and leads to another neighbour or to the voxel itself,
    which changes no answer to "is any neighbour higher".
    """
    flat = np.zeros(zyx.shape[1], np.intp)
    for indices, move, size in zip(zyx, step, shape, strict=True):
        flat *= size
        if move < 0:
            flat += np.maximum(indices - 1, 0)
        else:
            flat += np.minimum(indices + move, size - 1)
    return flat
