"""Find the peaks of a probability map: one per particle, at sub-voxel position, with its height.

Candidates are voxels that no neighbour exceeds; the best removes all others within a sphere; the
survivors move to the centre of mass around them; what then falls together is one peak. The cost
follows the voxels above the threshold, not the volume.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.volumes.exclusion import strongest_apart
from icelens.core.volumes.neighbours import FloatVolume, local_maxima
from icelens.core.volumes.plateaus import merge_plateaus
from icelens.core.volumes.separation import kept_apart, own_radii, separated_pairs
from icelens.core.volumes.subvoxel import centred, fitted

Floats = npt.NDArray[np.float64]
Refinement = Literal["centroid", "quadratic", "none"]

CENTROID_REACH = 1.5
"""Centroids are taken within this many exclusion radii, where nothing else is said."""
WIDEST_TOP = 2.0
"""A flat top reaching farther than this many exclusion radii from its middle is several."""


def find_peaks(
    probability: npt.NDArray[np.floating[Any]] | Tensor,
    *,
    threshold: float,
    exclusion_radius_px: float,
    refinement: Refinement = "centroid",
    centroid_radius_px: float | None = None,
) -> tuple[Floats, Floats]:
    """Peaks of at least `threshold`, no two closer than the exclusion radius.

    A flat top counts as one peak, at its middle, unless it is so wide that it must be several
    particles. Maxima between which the map does not dip, and whose centroids are closer than the
    radius, are one peak. NaN is never a peak and hides none.

    Args:
        probability: `(z, y, x)` of any float type, not below 0.
        threshold: Lowest height of a peak.
        exclusion_radius_px: In voxels.
        refinement: How positions get finer than a voxel. The centroid suits saturated and noisy
            maps; the quadratic fit along each axis suits smooth, narrow peaks only.
        centroid_radius_px: Voxels within it make the centroid; best between once and one and a
            half the radius of the blobs. Default: 1.5 exclusion radii.

    Returns:
        Positions `(peak, 3)` in voxels from the centre of voxel (0, 0, 0), highest first, and the
        heights they began at.

    Raises:
        GeometryError: If the map is not a volume, the threshold is no number, or a radius is not
            positive.
    """
    volume = _as_array(probability)
    radius = exclusion_radius_px
    ball = CENTROID_REACH * radius if centroid_radius_px is None else centroid_radius_px
    _check(volume, threshold, (radius, ball))
    tops = local_maxima(volume, threshold)
    positions, heights = merge_plateaus(volume, tops, widest_px=WIDEST_TOP * radius)
    kept = strongest_apart(positions, heights, radius=radius)
    positions, heights = positions[kept], heights[kept]
    positions = _refined(volume, positions, heights, refinement, radius, ball)
    # Two maxima of one broad top may have moved to the same place.
    kept = strongest_apart(positions, heights, radius=radius)
    return positions[kept], heights[kept]


def _refined(
    volume: FloatVolume,
    positions: Floats,
    heights: Floats,
    refinement: Refinement,
    radius: float,
    ball: float,
) -> Floats:
    """Finer positions, which do not drive peaks of different blobs together."""
    if refinement == "none" or not len(positions):
        return positions
    pairs = separated_pairs(volume, positions, heights, within_px=2 * max(ball, radius))
    if refinement == "quadratic":
        moved = fitted(volume, positions)
    else:
        radii = own_radii(positions, pairs, largest_px=ball)
        moved = centred(volume, positions, heights, radius_px=radii)
    return kept_apart(positions, moved, pairs, radius=radius)


def _as_array(probability: npt.NDArray[np.floating[Any]] | Tensor) -> FloatVolume:
    if isinstance(probability, Tensor):
        tensor = probability.detach().cpu()
        # numpy has no bfloat16
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return probability


def _check(volume: FloatVolume, threshold: float, radii: tuple[float, ...]) -> None:
    if volume.ndim != 3 or 0 in volume.shape:
        raise GeometryError(
            f"peaks are looked for in a volume (z, y, x), got an array of shape {volume.shape}"
        )
    if not np.isfinite(threshold):
        raise GeometryError(f"the threshold is {threshold}; it must be a number")
    if not all(np.isfinite(radius) and radius > 0 for radius in radii):
        raise GeometryError(f"exclusion and centroid radii are {radii}; they must be positive")
