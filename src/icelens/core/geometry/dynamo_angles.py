"""Dynamo's tdrot, tilt, narot to rotation matrices and back, in numpy: for readers and writers."""

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.axis_rotations import about_x, about_z

Floats = npt.NDArray[np.float64]

# Below this sine the first and third rotation share an axis and only their sum is defined.
_GIMBAL_LOCK = 1e-9


def matrices_from_dynamo_angles(dynamo_angles: npt.ArrayLike) -> Floats:
    """Rotations `(..., 3, 3)` that take the reference to its place in the tomogram.

    A particle is laid onto the reference by turning it about z by `tdrot`, about x by `tilt` and
    about z by `narot`; this is the way back, `Rz(-tdrot) Rx(-tilt) Rz(-narot)`. `narot` therefore
    turns about the particle's own axis.

    Args:
        dynamo_angles: tdrot, tilt, narot along the last axis, in degrees.

    References:
        Castaño-Díez et al., J. Struct. Biol. 178 (2012), 139-151; Dynamo's table convention.
    """
    tdrot, tilt, narot = np.moveaxis(np.deg2rad(np.asarray(dynamo_angles, np.float64)), -1, 0)
    return about_z(-tdrot) @ about_x(-tilt) @ about_z(-narot)


def dynamo_angles_from_matrices(rotation: npt.ArrayLike) -> Floats:
    """tdrot, tilt, narot in degrees `(..., 3)` of rotations `(..., 3, 3)`.

    Tilt is in [0, 180]; at its ends narot is 0, because only one angle about z is defined there.
    """
    matrix = np.asarray(rotation, np.float64)
    sine = np.hypot(matrix[..., 0, 2], matrix[..., 1, 2])
    tilt = np.arctan2(sine, matrix[..., 2, 2])
    is_locked = sine < _GIMBAL_LOCK
    tdrot = np.arctan2(matrix[..., 0, 2], matrix[..., 1, 2])
    tdrot = np.where(is_locked, np.arctan2(-matrix[..., 1, 0], matrix[..., 0, 0]), tdrot)
    narot = np.where(is_locked, 0.0, np.arctan2(matrix[..., 2, 0], -matrix[..., 2, 1]))
    angles: Floats = np.rad2deg(np.stack([tdrot, tilt, narot], axis=-1))
    return angles
