"""A hinge between two parts of a molecule: where it is, and one part turned about it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree

from icelens.core.errors import GeometryError
from icelens.core.geometry.so3_ball import rotation_from_vector

Floats = npt.NDArray[np.float64]

_CONTACT = 5.0
"""Å between atoms that touch; where none are so near, the nearest take their place."""
_SLACK = 1.0
"""Å: pairs that much farther than the nearest count as contacts of parts that do not touch."""
CLASH = 2.0
"""Å: nearer than this, atoms that are not bonded would run into each other."""


@dataclass(frozen=True, eq=False)
class Hinge:
    """Attributes: `point_xyz` in Å, and `axis_xyz` of length 1 through it."""

    point_xyz: Floats
    axis_xyz: Floats

    def __post_init__(self) -> None:
        """Refuse an axis without direction, and bring it to length 1."""
        length = float(np.linalg.norm(self.axis_xyz))
        if not 0 < length < np.inf:
            raise GeometryError(f"a hinge needs a direction, its axis is {self.axis_xyz}")
        object.__setattr__(self, "axis_xyz", np.asarray(self.axis_xyz, np.float64) / length)


def joint(moving: npt.ArrayLike, fixed: npt.ArrayLike) -> Floats:
    """Where two parts `(atom, 3)` touch: the mean place of the atoms in contact, in Å."""
    one, other = np.asarray(moving, np.float64), np.asarray(fixed, np.float64)
    distance, partner = cKDTree(other).query(one)
    touching = distance <= max(_CONTACT, float(distance.min()) + _SLACK)
    place: Floats = 0.5 * (one[touching].mean(axis=0) + other[partner[touching]].mean(axis=0))
    return place


def axis_out_of(fixed: npt.ArrayLike, point_xyz: Floats) -> Floats:
    """Direction from the centre of the fixed part to the hinge.

    About it the other part can go round without being pushed through the fixed one.
    """
    away: Floats = point_xyz - np.asarray(fixed, np.float64).mean(axis=0)
    return away


def swung(positions: npt.ArrayLike, hinge: Hinge, angle: float) -> Floats:
    """Places `(atom, 3)` turned about a hinge by an angle in degrees, right-handed."""
    vector = torch.from_numpy(np.deg2rad(angle) * hinge.axis_xyz)
    rotation = rotation_from_vector(vector).numpy()
    turned: Floats = (np.asarray(positions, np.float64) - hinge.point_xyz) @ rotation.T
    return turned + hinge.point_xyz


def num_clashes(moving: npt.ArrayLike, fixed: npt.ArrayLike) -> int:
    """Atoms of one part nearer than `CLASH` to the other."""
    distance, _ = cKDTree(np.asarray(fixed)).query(np.asarray(moving))
    return int((distance < CLASH).sum())
