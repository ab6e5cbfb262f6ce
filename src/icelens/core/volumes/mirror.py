"""Mirror a volume about its centre voxel, which makes a hand of the other kind of it."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Axis = Literal["x", "y", "z"]


def mirrored(volume: npt.NDArray[np.generic], axis: Axis = "z") -> npt.NDArray[np.generic]:
    """The volume with one axis turned round; voxel `n // 2` stays, twice is as before.

    Of an axis of even length the first voxel stays too, for its mate would be voxel `n`, which on a
    ring is itself.

    Args:
        volume: `(z, y, x)`.
        axis: Which is turned round.
    """
    place = "zyx".index(axis)
    side = volume.shape[place]
    index = (2 * (side // 2) - np.arange(side)) % side
    return np.asarray(np.take(volume, index, axis=place))
