"""Rotations about the axes, in numpy, of which programs' Euler angles are made."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def about_x(angle_rad: npt.ArrayLike) -> Floats:
    """Active, right-handed rotations `(..., 3, 3)` about x, for xyz columns."""
    cosine, sine, zero, one = _parts(angle_rad)
    return _matrix([[one, zero, zero], [zero, cosine, -sine], [zero, sine, cosine]])


def about_y(angle_rad: npt.ArrayLike) -> Floats:
    """The same about y."""
    cosine, sine, zero, one = _parts(angle_rad)
    return _matrix([[cosine, zero, sine], [zero, one, zero], [-sine, zero, cosine]])


def about_z(angle_rad: npt.ArrayLike) -> Floats:
    """The same about z."""
    cosine, sine, zero, one = _parts(angle_rad)
    return _matrix([[cosine, -sine, zero], [sine, cosine, zero], [zero, zero, one]])


def _parts(angle_rad: npt.ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    angle = np.asarray(angle_rad, np.float64)
    cosine, sine = (np.asarray(function(angle)) for function in (np.cos, np.sin))
    return cosine, sine, np.zeros_like(angle), np.ones_like(angle)


def _matrix(rows: list[list[Floats]]) -> Floats:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
