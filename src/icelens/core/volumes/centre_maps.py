"""Maps of particle centres: each particle a small Gaussian of mass one, placed below the voxel."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_REACH = 3.0
"""Standard deviations after which a Gaussian ends."""


def centre_maps(
    shape: tuple[int, int, int],
    centre_zyx_px: npt.NDArray[np.float64],
    kind: npt.NDArray[np.integer],
    width_px: npt.NDArray[np.float64],
    num_kinds: int,
) -> Floats:
    """Draw particles as Gaussians that sum to one each, one map per kind.

    The mass of a particle is shared by the voxels around its true centre, so that the maps know it
    better than to a voxel, and narrow and wide particles count alike.

    Args:
        shape: Voxels of the maps along z, y and x.
        centre_zyx_px: `(particle, 3)` in voxels of the maps; those outside leave their tails.
        kind: `(particle,)` number of the map each belongs to.
        width_px: `(particle,)` standard deviation in voxels.
        num_kinds: How many maps.

    Returns:
        `(kind, z, y, x)`; where particles of all kinds overlap their sum is kept at one or below.
    """
    maps: Floats = np.zeros((num_kinds, *shape), np.float32)
    for centre, number, width in zip(centre_zyx_px, kind, width_px, strict=True):
        reach = math.ceil(_REACH * width)
        profiles, places = [], []
        for position, size in zip(centre.tolist(), shape, strict=True):
            first = math.floor(position) - reach
            offsets = np.arange(first, math.floor(position) + reach + 2) - position
            profile = np.exp(-0.5 * (offsets / width) ** 2)
            profile /= profile.sum()
            start, stop = max(first, 0), min(first + len(profile), size)
            profiles.append(profile[start - first : max(stop - first, 0)])
            places.append(slice(start, max(stop, start)))
        if any(len(profile) == 0 for profile in profiles):
            continue
        z, y, x = profiles
        maps[int(number)][tuple(places)] += z[:, None, None] * y[:, None] * x
    total = maps.sum(axis=0)
    crowded = total > 1
    if crowded.any():
        maps[:, crowded] /= total[crowded]
    return maps
