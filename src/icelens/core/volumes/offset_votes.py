"""Positions of particles from the votes of the voxels around them: each knows how far it is."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LEAST_WEIGHT = 1e-6


def voted(
    probability: npt.NDArray[np.generic],
    offset_zyx: npt.NDArray[np.generic],
    positions: Floats,
    *,
    reach: int = 1,
) -> Floats:
    """Move peaks to the mean of where the voxels around them say the centre is.

    Each voxel of the cube around a peak votes for its own place plus its offset, with its
    probability as weight. A network that regresses offsets is thereby read finer than its grid,
    and the average over voxels is steadier than a single answer.

    Args:
        probability: `(z, y, x)`.
        offset_zyx: `(3, z, y, x)` in voxels of the same grid.
        positions: `(peak, 3)` in voxels.
        reach: Voxels from the middle of the cube to its faces.

    Returns:
        Positions `(peak, 3)`.
    """
    sides = np.array(probability.shape)
    result = np.array(positions, np.float64)
    for number, middle in enumerate(np.rint(positions).astype(int)):
        low = np.clip(middle - reach, 0, sides - 1)
        high = np.clip(middle + reach + 1, 1, sides)
        z, y, x = (slice(start, stop) for start, stop in zip(low, high, strict=True))
        weight = np.nan_to_num(probability[z, y, x].astype(np.float64)) + _LEAST_WEIGHT
        grid = np.mgrid[z, y, x] + np.nan_to_num(offset_zyx[:, z, y, x].astype(np.float64))
        result[number] = (grid * weight).sum(axis=(1, 2, 3)) / weight.sum()
    return result
