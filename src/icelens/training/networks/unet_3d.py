"""UNet3D: the residual U-Net for volumes, the same function as IsoNet2's, computed faster.

Stem, four levels of three convolutions and a strided one, a bottleneck of two, four levels back
with skips, head, and the input added to the output. Weights stay in channels-last order.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.errors import GeometryError
from icelens.training.networks.convolution_3d import convolve_same, convolve_to_one

NEGATIVE_SLOPE = 0.01
"""Of every LeakyReLU, as in IsoNet2 (PyTorch's default)."""


class UNet3D(nn.Module):
    """Residual U-Net with `len(filters) - 1` down-samplings by two.

    Args:
        filters: Channels from the finest level to the bottleneck.

    References:
        Liu et al., IsoNet2, bioRxiv 2025.693325; Ronneberger et al., MICCAI 2015.
    """

    def __init__(self, filters: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv3d(1, filters[0], 3, padding=1)
        self.encoder = nn.ModuleList(_stack(n, num_layers=3) for n in filters[:-1])
        self.down = nn.ModuleList(
            ConvNormActivate(fine, coarse, side=2) for fine, coarse in pairwise(filters)
        )
        self.bottleneck = _stack(filters[-1], num_layers=2)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, 2, stride=2) for fine, coarse in pairwise(filters)
        )
        self.decoder = nn.ModuleList(DecoderStack(n) for n in filters[:-1])
        self.head = nn.Conv3d(filters[0], 1, 3, padding=1)
        self.box_multiple = 2 ** (len(filters) - 1)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(self, image: Float[Tensor, "batch 1 z y x"]) -> Float[Tensor, "batch 1 z y x"]:
        """Restore normalised volumes; each side a multiple of `box_multiple`.

        Raises:
            GeometryError: If a side is not such a multiple.
        """
        if any(side % self.box_multiple for side in image.shape[2:]):
            raise GeometryError(
                f"unet: a box of (z, y, x) = {tuple(image.shape[2:])} voxels does not halve "
                f"{len(self.down)} times; each side must be a multiple of {self.box_multiple}"
            )
        features = convolve_same(image, self.stem.weight, self.stem.bias)
        skips = []
        for stack, down in zip(self.encoder, self.down, strict=True):
            skips.append(stack(features))
            features = down(skips[-1])
        features = self.bottleneck(features)
        for level in reversed(range(len(skips))):
            features = self.decoder[level](skips.pop(), self.up[level](features))
        return convolve_to_one(features, self.head.weight, self.head.bias) + image


class ConvNormActivate(nn.Module):
    """Convolution without bias, batch normalisation, LeakyReLU.

    Side three keeps the size, side two halves it.
    """

    def __init__(self, num_in: int, num_out: int, side: int = 3) -> None:
        super().__init__()
        halves = side == 2
        self.conv = nn.Conv3d(
            num_in, num_out, side, stride=2 if halves else 1, padding=0 if halves else 1, bias=False
        )
        self.norm: nn.Module = nn.BatchNorm3d(num_out)

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch out z_out y_out x_out"]:
        """Convolve, normalise, activate."""
        weight, bias = self.conv.weight, self.conv.bias
        if weight.shape[-1] == 2:
            return self.activate(F.conv3d(features, weight, bias, stride=2))
        return self.activate(convolve_same(features, weight, bias))

    def activate(
        self, convolved: Float[Tensor, "batch out z y x"]
    ) -> Float[Tensor, "batch out z y x"]:
        """Normalise and activate what was convolved elsewhere."""
        return F.leaky_relu(self.norm(convolved), NEGATIVE_SLOPE, inplace=True)


class DecoderStack(nn.Module):
    """Joins a skip and the map from below, activates both, then three layers.

    Concatenating and convolving is the sum of two convolutions with the two halves of the kernel;
    written so, no joined map is made, nor its gradient cut in two.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.join = ConvNormActivate(2 * num_channels, num_channels)
        self.stack = _stack(num_channels, num_layers=2)

    def forward(
        self,
        skip: Float[Tensor, "batch channel z y x"],
        coarse: Float[Tensor, "batch channel z y x"],
    ) -> Float[Tensor, "batch channel z y x"]:
        """Decode one level; `coarse` is overwritten."""
        conv = self.join.conv
        of_skip, of_coarse = conv.weight.chunk(2, dim=1)
        skip = F.leaky_relu(skip, NEGATIVE_SLOPE)
        coarse = F.leaky_relu(coarse, NEGATIVE_SLOPE, inplace=True)
        joined = convolve_same(skip, of_skip, conv.bias).add_(convolve_same(coarse, of_coarse))
        decoded: Tensor = self.stack(self.join.activate(joined))
        return decoded


def _stack(num_channels: int, num_layers: int) -> nn.Sequential:
    return nn.Sequential(*(ConvNormActivate(num_channels, num_channels) for _ in range(num_layers)))
