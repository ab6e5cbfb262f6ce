"""What a camera has to show of several maps so that all of each is in the picture from any side."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_RIM = 1.06
"""Picture over surface: a rim that stays free."""


@dataclass(frozen=True)
class Extent:
    """Where the camera looks.

    Attributes:
        centre_zyx: In voxels of the maps.
        half_width: What is shown to either side of it, in Å.
    """

    centre_zyx: tuple[float, float, float]
    half_width: float


def visible_extent(
    arrays: Iterable[npt.NDArray[np.generic]], level: float, pixel_size: float
) -> Extent:
    """The middle of what is above a level in any of some maps, and how far it reaches.

    Args:
        arrays: Densities `(z, y, x)` of one shape, of which at least one reaches the level.
        level: Of the surface.
        pixel_size: In Å/px.
    """
    is_seen = np.zeros((1, 1, 1), bool)
    for array in arrays:
        is_seen = is_seen | (np.asarray(array, np.float32) > level)
    voxels = np.argwhere(is_seen).astype(np.float64)
    z, y, x = 0.5 * (voxels.min(axis=0) + voxels.max(axis=0))
    distance = np.sqrt(((voxels - (z, y, x)) ** 2).sum(axis=1).max())
    return Extent((float(z), float(y), float(x)), _RIM * (float(distance) + 1.0) * pixel_size)
