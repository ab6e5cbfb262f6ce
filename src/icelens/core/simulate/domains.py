"""A molecule of two domains that nobody has to download: one stays, the other can swing or go."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.simulate.chains import CLOSEST, chain
from icelens.core.simulate.hinge import Hinge, axis_out_of, joint

_ARM = 0.35
"""Share of the mass that moves."""
_PUSH = 1.0
"""Å by which the arm is moved away until both domains only touch."""


@dataclass(frozen=True, eq=False)
class TwoDomains:
    """Beads of both domains in Å, and the hinge between them."""

    body: Float[Tensor, "bead 3"]
    arm: Float[Tensor, "arm_bead 3"]
    hinge: Hinge


def two_domains(mass: float, generator: torch.Generator) -> TwoDomains:
    """Grow two compact chains that touch.

    The axis of the hinge is at right angles to the line from the body to the arm, so that the arm
    swings as a door does and not about itself.

    Args:
        mass: Of both, in kDa; a bead is one.
        generator: Source of randomness.
    """
    num_beads = max(16, round(mass))
    num_arm = max(8, round(_ARM * num_beads))
    body, arm = chain(num_beads - num_arm, generator), chain(num_arm, generator)
    way = torch.nn.functional.normalize(torch.randn(3, generator=generator), dim=0)
    distance = 0.0
    while float(torch.cdist(arm + distance * way, body).min()) < CLOSEST:
        distance += _PUSH
    arm = arm + distance * way
    point = joint(arm.numpy(), body.numpy())
    axis = np.cross(axis_out_of(body.numpy(), point), torch.randn(3, generator=generator).numpy())
    return TwoDomains(body, arm, Hinge(point, axis))
