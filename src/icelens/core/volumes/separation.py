"""Tell the peaks of different blobs from the maxima of one, by the dip between them."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.volumes.neighbours import FloatVolume, Voxels

Floats = npt.NDArray[np.float64]

DIP = 0.75
"""Two peaks are apart if the map falls below this part of the lower one between them."""
_SAMPLES = 9  # along the line from peak to peak, both ends left out


def separated_pairs(
    volume: FloatVolume, positions: Floats, heights: Floats, *, within_px: float
) -> Voxels:
    """Pairs (pair, 2) of peaks, by number, that are close but have a dip between them.

    Args:
        volume: The map `(z, y, x)`; read at the voxels on the straight line between two peaks.
        positions: `(peak, 3)` in voxels.
        heights: Of each peak.
        within_px: Peaks farther apart are not looked at.
    """
    pairs = cKDTree(positions).query_pairs(within_px, output_type="ndarray")
    first, second = positions[pairs[:, 0]], positions[pairs[:, 1]]
    lowest = np.full(len(pairs), np.inf)
    for part in np.arange(1, _SAMPLES + 1) / (_SAMPLES + 1):
        voxels = np.rint(first + part * (second - first)).astype(np.intp)
        values = volume[tuple(voxels.T)].astype(np.float64)
        lowest = np.fmin(lowest, values)
    # Half-precision heights are compared as they are: a dip is far deeper than their rounding.
    is_dip = lowest < DIP * heights[pairs].min(axis=1)
    separated: Voxels = pairs[is_dip].astype(np.intp)
    return separated


def own_radii(positions: Floats, pairs: Voxels, *, largest_px: float) -> Floats:
    """For each peak a radius that reaches at most half way to those it is separated from."""
    result = np.full(len(positions), largest_px)
    half = 0.5 * np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=-1)
    for side in range(2):
        np.minimum.at(result, pairs[:, side], half)
    return result


def kept_apart(start: Floats, moved: Floats, pairs: Voxels, *, radius: float) -> Floats:
    """Moved positions, but where separated peaks came closer than `radius`, those of the start."""
    result = moved.copy()
    while True:
        first, second = result[pairs[:, 0]], result[pairs[:, 1]]
        is_close = np.linalg.norm(first - second, axis=-1) < radius
        numbers = np.unique(pairs[is_close])
        numbers = numbers[(result[numbers] != start[numbers]).any(axis=-1)]
        if not len(numbers):
            return result
        result[numbers] = start[numbers]
