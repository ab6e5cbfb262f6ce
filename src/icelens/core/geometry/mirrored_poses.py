"""Poses of the same images towards a mirrored map."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ALONG_BEAM = np.diag([1.0, 1.0, -1.0])
_MIRRORS = {
    "x": np.diag([-1.0, 1.0, 1.0]),
    "y": np.diag([1.0, -1.0, 1.0]),
    "z": np.diag([1.0, 1.0, -1.0]),
}


def mirrored_poses(rotation: npt.ArrayLike, axis: Literal["x", "y", "z"] = "z") -> Floats:
    """Rotations `(..., 3, 3)` from the mirrored reference to the same images; shifts stay.

    A projection does not know front from back: with `N` the mirror along the beam and `M` that of
    the map, `N R M` is a rotation under which the map `v(M x)` projects as `v` does under `R`.

    Args:
        rotation: From the reference to the images.
        axis: Axis of the map that is turned round.
    """
    found: Floats = _ALONG_BEAM @ np.asarray(rotation, np.float64) @ _MIRRORS[axis]
    return found
