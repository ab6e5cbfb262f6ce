"""Images seen at several scales: what Gaussians of neighbouring widths differ by."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.network_settings import SIGMAS

_REACH = 2.5
"""Standard deviations of the widest Gaussian after which all are cut off."""


class GaussianBank(nn.Module):
    """Each channel blurred by Gaussians of several widths, and the steps between them.

    One row and column more than the image has are answered for at the end of each axis: about the
    centre pixel `n // 2` of an even box the result is then as wide on both sides, and turns with
    the image. Blurs are products with banded matrices, ten times as fast here as convolutions of
    single channels.
    """

    blurs: Tensor

    def __init__(self, box_size: int, sigmas: Sequence[float] = SIGMAS) -> None:
        """Prepare the blurs, for standard deviations in px in rising order."""
        super().__init__()
        self.num_scales = len(sigmas)
        half = math.ceil(_REACH * max(sigmas))
        distance = torch.arange(box_size + 1)[:, None] - torch.arange(box_size)
        widths = torch.tensor(sigmas)[:, None, None]
        steps = torch.arange(-half, half + 1)
        norm = torch.exp(-0.5 * (steps / widths) ** 2).sum(dim=2, keepdim=True)
        blurs = torch.exp(-0.5 * (distance / widths) ** 2) / norm * (distance.abs() <= half)
        self.register_buffer("blurs", blurs, persistent=False)

    def forward(self, images: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y_1 x_1"]:
        """`num_scales * c` channels: differences of neighbouring widths, then the widest."""
        blurs = self.blurs.to(images.dtype)
        blurred = [blur @ (images @ blur.T) for blur in blurs]
        steps = [fine - coarse for fine, coarse in pairwise(blurred)]
        return torch.cat([*steps, blurred[-1]], dim=1)
