"""Take small separate parts of a density out: specks of noise around what is meant."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

_SMALLEST = 0.01
"""Share of the largest part below which another is a speck."""
_STEP = 1e-3
"""How far below the level specks are pressed, as a share of it."""


def without_dust(
    volume: npt.NDArray[np.float32], level: float, *, smallest: float = _SMALLEST
) -> npt.NDArray[np.float32]:
    """The density with specks pressed below a level; the rest is untouched.

    Args:
        volume: `(z, y, x)`, positive inside.
        level: Above which voxels belong to a part.
        smallest: Voxels of a part that stays, as a share of those of the largest.
    """
    labels, count = ndimage.label(volume > level)
    if count < 2:
        return volume
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    is_speck = sizes < smallest * sizes.max()
    is_speck[0] = False
    if not is_speck.any():
        return volume
    below = np.float32(level - _STEP * max(abs(level), 1e-6))
    kept: npt.NDArray[np.float32] = np.where(is_speck[labels], below, volume)
    return kept


def largest_part(is_inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Only the voxels of the largest part that hangs together by its faces."""
    labels, _ = ndimage.label(is_inside)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part: npt.NDArray[np.bool_] = labels == int(sizes.argmax())
    return part & is_inside
