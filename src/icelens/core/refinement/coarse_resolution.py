"""The resolution at which a coarse search still sees the right candidate between two others."""

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.refinement.refiner_settings import RefinerSettings

_HOLE = 0.65
"""Steps from a rotation of the ball to its nearest point, at most (`so3_ball`)."""
_LEAST_SHELLS = 6


def coarse_radius(
    reference: Float[Tensor, "n n n"], size: float, finest: int, settings: RefinerSettings
) -> int:
    """Shell up to which neighbours in the ball still see the same image, nearly.

    The edge of the particle moves by the ball's hole times its radius; finer detail than a few of
    these would make the right candidate as bad as any other.
    """
    num = reference.shape[-1]
    axis = torch.arange(num, device=reference.device, dtype=torch.float32) - num // 2
    square = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    power = reference.square()
    total = power.sum()
    if not bool(total > 0):
        raise GeometryError("the reference is empty within its mask; check map and --mask-diameter")
    # a solid sphere's radius is 1.29 times its radius of gyration
    radius = 1.29 * float(((power * square).sum() / total).sqrt()) / num
    turn = float(torch.deg2rad(torch.tensor(settings.angular_step))) * _HOLE
    displacement = max(turn * radius * size, 1e-6)
    shell = int(size / (settings.coarse_phase * displacement))
    return max(min(shell, finest), min(_LEAST_SHELLS, finest))
