"""The default encoder: an image on rings, seen at several scales, convolved over radius and angle.

It turns with the image by itself, so nothing about the in-plane angle has to be learnt.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.encoder import NUM_CHANNELS, Encoder, group_norm, ring_shape
from icelens.tasks.pose.network.gaussian_bank import GaussianBank
from icelens.tasks.pose.network.network_settings import SIGMAS
from icelens.tasks.pose.network.polar import PolarSampler, RingConvolution


class ResidualBlock(nn.Module):
    """Two ring convolutions added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = RingConvolution(channels, channels, 3)
        self.second = RingConvolution(channels, channels, 3)
        self.norms = nn.ModuleList(group_norm(channels) for _ in range(2))

    def forward(self, rings: Float[Tensor, "b c r a"]) -> Float[Tensor, "b c r a"]:
        """Activation before each convolution, so that the sum stays plain."""
        first_norm, second_norm = self.norms
        inner = self.first(F.gelu(first_norm(rings)))
        result: Tensor = rings + self.second(F.gelu(second_norm(inner)))
        return result


class PolarEncoder(Encoder):
    """Images to features on rings, halved twice in both directions."""

    def __init__(
        self,
        box_size: int,
        *,
        channels: int = 24,
        num_blocks: int = 2,
        sigmas: Sequence[float] = SIGMAS,
        min_angles: int = 0,
    ) -> None:
        """Prepare the layers.

        Args:
            box_size: Side of the images in px.
            channels: Of the first half; twice as many in the second.
            num_blocks: Residual blocks of the second half.
            sigmas: Widths of the Gaussian bank in px.
            min_angles: At least so many angles are given.
        """
        super().__init__()
        self.num_radii, self.num_angles = ring_shape(box_size, 4, min_angles)
        self.bank = GaussianBank(box_size, sigmas)
        self.sampler = PolarSampler(
            box_size, self.num_radii * 2, self.num_angles * 4, reach=0.5 * box_size, margin=1
        )
        self.out_channels = 2 * channels
        first = NUM_CHANNELS * len(sigmas)
        self.stem = nn.Sequential(
            RingConvolution(first, channels, 5),
            group_norm(channels),
            nn.GELU(),
            RingConvolution(channels, channels, 3, pooled=(1, 2)),
            ResidualBlock(channels),
            RingConvolution(channels, self.out_channels, 3, pooled=(2, 2)),
            *(ResidualBlock(self.out_channels) for _ in range(num_blocks)),
        )

    def forward(self, images: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d r a"]:
        """Features on `num_radii` rings of `num_angles`."""
        rings = self.sampler(self.bank(images))
        features: Tensor = self.stem(rings)
        return features
