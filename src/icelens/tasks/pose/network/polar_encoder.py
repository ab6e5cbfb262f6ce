"""The default encoder: an image on rings, seen at several scales, convolved over radius and angle.

It turns with the image by itself, so nothing about the in-plane angle has to be learnt.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.polar import PolarSampler, RingConvolution

SIGMAS = (0.7, 1.5, 3.0)


class GaussianBank(nn.Module):
    """Each channel blurred by Gaussians of several widths, and the steps between them."""

    def __init__(self, sigmas: tuple[float, ...] = SIGMAS) -> None:
        super().__init__()
        half = math.ceil(2.5 * max(sigmas))
        distance = torch.arange(-half, half + 1).float()
        kernels = torch.stack([torch.exp(-0.5 * (distance / sigma) ** 2) for sigma in sigmas])
        self.register_buffer("kernels", kernels / kernels.sum(1, keepdim=True), persistent=False)

    def forward(self, images: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y x"]:
        """`num_sigmas * c` channels: differences of neighbouring widths, then the widest."""
        channels = images.shape[1]
        half = self.kernels.shape[1] // 2
        blurred = []
        for kernel in self.kernels:
            weight = kernel.to(images.dtype).expand(channels, 1, 1, -1)
            along_x = F.conv2d(images, weight, padding=(0, half), groups=channels)
            blurred.append(
                F.conv2d(along_x, weight.transpose(2, 3), padding=(half, 0), groups=channels)
            )
        steps = [fine - coarse for fine, coarse in zip(blurred[:-1], blurred[1:], strict=True)]
        return torch.cat([*steps, blurred[-1]], dim=1)


class ResidualBlock(nn.Module):
    """Two ring convolutions added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = RingConvolution(channels, channels, 3)
        self.second = RingConvolution(channels, channels, 3)
        self.norms = nn.ModuleList(nn.GroupNorm(channels // 8, channels) for _ in range(2))

    def forward(self, rings: Float[Tensor, "b c r a"]) -> Float[Tensor, "b c r a"]:
        """Activation before each convolution, so that the sum stays plain."""
        inner = self.first(F.gelu(self.norms[0](rings)))
        return rings + self.second(F.gelu(self.norms[1](inner)))


class PolarEncoder(nn.Module):
    """Images to features on rings, halved twice in both directions."""

    def __init__(self, box_size: int, *, channels: int = 24, num_blocks: int = 2) -> None:
        super().__init__()
        self.num_radii, self.num_angles = box_size // 8 * 2, box_size // 8 * 4
        self.bank = GaussianBank()
        self.sampler = PolarSampler(
            box_size, self.num_radii * 2, self.num_angles * 4, reach=0.5 * box_size
        )
        self.out_channels = 2 * channels
        first = 2 * len(SIGMAS)
        self.stem = nn.Sequential(
            RingConvolution(first, channels, 5),
            nn.GroupNorm(channels // 8, channels),
            nn.GELU(),
            RingConvolution(channels, channels, 3),
            nn.AvgPool2d((1, 2)),
            ResidualBlock(channels),
            RingConvolution(channels, self.out_channels, 3),
            nn.AvgPool2d(2),
            *(ResidualBlock(self.out_channels) for _ in range(num_blocks)),
        )

    def forward(self, images: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d r a"]:
        """Features on `num_radii` rings of `num_angles`."""
        features: Tensor = self.stem(self.sampler(self.bank(images)))
        return features
