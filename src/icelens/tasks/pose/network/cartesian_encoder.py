"""Encoders that convolve the image as it lies and sample rings from what they find."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.encoder import Encoder, ring_shape
from icelens.tasks.pose.network.gaussian_bank import GaussianBank
from icelens.tasks.pose.network.network_settings import SIGMAS
from icelens.tasks.pose.network.polar import PolarSampler


class Body(nn.Module):
    """A convolutional network from images to maps `stride` times smaller.

    Px p of a map stands for the px `stride * p` to `stride * (p + 1) - 1` of the image, so layers
    that halve have even kernels, or average.
    """

    out_channels: int
    stride: int


class CartesianEncoder(Encoder):
    """Gaussian bank, a body on the plane, and rings sampled from its maps.

    Turning the image turns the features only as far as the body learns it.
    """

    def __init__(
        self,
        body: Body,
        box_size: int,
        *,
        sigmas: Sequence[float] = SIGMAS,
        min_angles: int = 0,
    ) -> None:
        """Join the parts.

        Args:
            body: Takes `2 * len(sigmas)` channels.
            box_size: Side of the images in px.
            sigmas: Widths of the Gaussian bank in px.
            min_angles: At least so many angles are given.
        """
        super().__init__()
        self.out_channels = body.out_channels
        self.num_radii, self.num_angles = ring_shape(box_size, body.stride, min_angles)
        self.bank = GaussianBank(box_size, sigmas)
        self.body = body
        self.sampler = PolarSampler(
            box_size, self.num_radii, self.num_angles, reach=0.5 * box_size, stride=body.stride
        )

    def forward(self, images: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d r a"]:
        """Features on `num_radii` rings of `num_angles`."""
        # a body halves its maps, for which the bank's last row and column are one too many
        seen = self.bank(images)[..., :-1, :-1].contiguous(memory_format=torch.channels_last)
        rings: Tensor = self.sampler(self.body(seen))
        return rings
