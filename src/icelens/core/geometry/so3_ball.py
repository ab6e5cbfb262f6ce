"""Rotations near the identity: the exponential map, and a near-uniform grid of a ball around it.

Steps on SO(3) that are taken by the exponential map know no poles, as Euler angles do.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError

MOST_POINTS = 200_000
"""A ball with more points is a mistake of the settings rather than a local search."""


def rotation_from_vector(rotation_vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Exponential map: turn about the vector, right-handed, by its length in radians.

    Smooth at zero, where Rodrigues' formula divides by the angle.
    """
    angle = rotation_vector.norm(dim=-1)[..., None, None]
    x, y, z = rotation_vector.unbind(-1)
    zero = torch.zeros_like(x)
    entries = [zero, -z, y, z, zero, -x, -y, x, zero]
    cross = torch.stack(entries, dim=-1).reshape(*x.shape, 3, 3)
    # sinc knows its limit: sin(a) / a, and (1 - cos(a)) / a^2 as half a squared sinc of a / 2
    first = torch.sinc(angle / math.pi)
    second = 0.5 * torch.sinc(0.5 * angle / math.pi) ** 2
    identity = torch.eye(3, dtype=x.dtype, device=x.device)
    return identity + first * cross + second * cross @ cross


def so3_ball(angular_range: float, angular_step: float) -> Float[Tensor, "point 3"]:
    """Rotation vectors in radians of a body-centred cubic lattice, the nearest to zero first.

    Of all lattices this one leaves the smallest holes: no rotation of the ball is farther than
    0.65 steps from a point (0.87 for a cubic lattice, which needs 1.3 times fewer points). Up to
    about 60 degrees the exponential map keeps distances to some per cent.

    Args:
        angular_range: Radius of the ball in degrees, from 0 to 180.
        angular_step: Distance of neighbours in degrees.

    Raises:
        GeometryError: If a value is out of its range, or the ball would have too many points.
    """
    if not (0.0 <= angular_range <= 180.0 and 0.0 < angular_step < math.inf):
        raise GeometryError(
            f"a search over {angular_range:g} degrees in steps of {angular_step:g}; expected a "
            "range from 0 to 180 and a step above 0"
        )
    cell = 2.0 * angular_step / math.sqrt(3.0)
    num = math.ceil(angular_range / cell) + 1
    # two points to a cell
    expected = 8.0 / 3.0 * math.pi * (angular_range / cell) ** 3
    if expected > MOST_POINTS:
        raise GeometryError(
            f"a range of {angular_range:g} degrees in steps of {angular_step:g} has "
            f"{expected:.0f} rotations, at most {MOST_POINTS} are searched; choose a larger step"
        )
    axis = torch.arange(-num, num + 1, dtype=torch.float64)
    corners = torch.cartesian_prod(axis, axis, axis)
    points = cell * torch.cat([corners, corners + 0.5])
    length = points.norm(dim=-1)
    # a lattice point on the surface belongs to the ball, whatever rounding makes of it
    inside = length <= angular_range * (1.0 + 1e-9)
    order = torch.argsort(length[inside], stable=True)
    return torch.deg2rad(points[inside][order]).float()
