"""Coarser levels of an image, as viewers want them."""

import numpy as np
import numpy.typing as npt


def halved(volume: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of each 2 x 2 x 2 voxels (z, y, x); at an odd end, of those that are there."""
    for axis in range(volume.ndim):
        if volume.shape[axis] % 2:
            last = volume.take([-1], axis=axis)
            volume = np.concatenate([volume, last], axis=axis)
        first = volume.take(np.arange(0, volume.shape[axis], 2), axis=axis)
        second = volume.take(np.arange(1, volume.shape[axis], 2), axis=axis)
        volume = np.float32(0.5) * (first + second)
    return volume
