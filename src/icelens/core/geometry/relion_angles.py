"""RELION's rot, tilt, psi to rotation matrices and back, in numpy: for readers and writers."""

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.axis_rotations import about_y, about_z

Floats = npt.NDArray[np.float64]

# Below this sine the first and third rotation share an axis and only their sum is defined.
_GIMBAL_LOCK = 1e-9


def matrices_from_relion_angles(relion_angles: npt.ArrayLike) -> Floats:
    """Rotations `(..., 3, 3)` that take the reference to the image, `x_image = R @ x_reference`.

    Args:
        relion_angles: rot, tilt, psi along the last axis, in degrees.

    References:
        Heymann et al., J. Struct. Biol. 151 (2005), 196-207; RELION's `Euler_angles2matrix`.
    """
    rot, tilt, psi = np.moveaxis(np.deg2rad(np.asarray(relion_angles, np.float64)), -1, 0)
    # Each factor is the transpose of the active rotation by its angle.
    return about_z(-psi) @ about_y(-tilt) @ about_z(-rot)


def relion_angles_from_matrices(rotation: npt.ArrayLike) -> Floats:
    """rot, tilt, psi in degrees `(..., 3)` of rotations `(..., 3, 3)`.

    Tilt is in [0, 180]; at its ends rot is 0, because only one angle about z is defined there.
    """
    matrix = np.asarray(rotation, np.float64)
    sine = np.hypot(matrix[..., 2, 0], matrix[..., 2, 1])
    tilt = np.arctan2(sine, matrix[..., 2, 2])
    is_locked = sine < _GIMBAL_LOCK
    rot = np.where(is_locked, 0.0, np.arctan2(matrix[..., 2, 1], matrix[..., 2, 0]))
    locked_psi = np.arctan2(matrix[..., 0, 1], matrix[..., 1, 1])
    psi = np.where(is_locked, locked_psi, np.arctan2(matrix[..., 1, 2], -matrix[..., 0, 2]))
    angles: Floats = np.rad2deg(np.stack([rot, tilt, psi], axis=-1))
    return angles
