"""What of a large volume is drawn: its middle, so that pictures stay small."""

import numpy as np
import numpy.typing as npt

LARGEST_PICTURE = 512  # voxels along a side of a drawn slice


def middle_of(
    array: npt.NDArray[np.generic], *, largest: int = LARGEST_PICTURE
) -> npt.NDArray[np.float32]:
    """The middle, no more than `largest` voxels along a side, as float32."""
    parts = []
    for size in array.shape:
        begin = max(0, (size - largest) // 2)
        parts.append(slice(begin, begin + min(size, largest)))
    return np.asarray(array[tuple(parts)], np.float32)
