"""From the half of a transform that is stored to what is looked at: all of it, or a real box."""

import torch
from jaxtyping import Float
from torch import Tensor


def full_weight(weight: Float[Tensor, "z y x_half"], num_x: int) -> Float[Tensor, "z y {num_x}"]:
    """Weight of every frequency, zero frequency at voxel `n // 2` of each axis.

    Args:
        weight: Of a half transform, in the order of `rfftn`.
        num_x: Length along x in real space; tells an even from an odd one.
    """
    # the frequencies -x that are not stored carry the weight of (-z, -y, x)
    mirrored = weight[..., 1 : (num_x + 1) // 2].flip(0, 1, 2).roll((1, 1), (0, 1))
    full: Tensor = torch.fft.fftshift(torch.cat([weight, mirrored], dim=-1))
    return full


def point_spread(weight: Float[Tensor, "z y x_half"], num_x: int) -> Float[Tensor, "z y {num_x}"]:
    """What a weight makes of a point at voxel `n // 2`; its integral is the weight at zero."""
    shape = (*weight.shape[:2], num_x)
    spread: Tensor = torch.fft.fftshift(torch.fft.irfftn(weight, s=shape))
    return spread
