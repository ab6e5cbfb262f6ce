"""HalfUNet3D: a residual U-Net that classifies every second voxel, for finding things in volumes.

The first layer sees blocks of 2 x 2 x 2 voxels as eight channels, and there is no level at full
resolution: where a particle is known to a few Å from the shape of its peak, the finest level of a
U-Net would only cost eight times as much.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.errors import GeometryError
from icelens.training.networks.convolution_3d import convolve_same
from icelens.training.networks.segmentation.normalise_activate import NormaliseActivate

BACKGROUND_BIAS = 3.0
"""Of the output at first: rare classes start as unlikely, so that no step is lost on learning it
(Lin et al., ICCV 2017)."""


class HalfUNet3D(nn.Module):
    """Class scores on a grid of half resolution: output voxel j lies at input voxel 2 j + 1/2.

    Args:
        num_classes: Channels of the output, background included.
        channels: Of each level, from half resolution downwards.
        blocks: Convolutions of each level on the way down; on the way up there is one each.

    References:
        Ronneberger et al., MICCAI 2015; output at half resolution as in the winning entry of the
        CZII challenge (2025).
    """

    stride = 2

    def __init__(self, num_classes: int, channels: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        _check_counts(channels=channels, blocks=blocks)
        if len(channels) != len(blocks):
            raise GeometryError(
                f"half-unet: {len(channels)} levels of channels but {len(blocks)} of blocks; give "
                "as many of each"
            )
        self.stem = ConvNormActivate(8, channels[0])
        self.encoder = nn.ModuleList(map(Residual, channels, blocks))
        self.down = nn.ModuleList(
            ConvNormActivate(fine, coarse, side=2) for fine, coarse in pairwise(channels)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, 2, stride=2) for fine, coarse in pairwise(channels)
        )
        self.decoder = nn.ModuleList(Residual(fine, 1) for fine in channels[:-1])
        self.head = nn.Conv3d(channels[0], num_classes, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.bias.zero_()
            self.head.bias[0] = BACKGROUND_BIAS
        self.box_multiple = 2 ** len(channels)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(
        self, image: Float[Tensor, "batch 1 z y x"]
    ) -> Float[Tensor, "batch class z_half y_half x_half"]:
        """Score normalised volumes; each side a multiple of `box_multiple`.

        Raises:
            GeometryError: If a side is not such a multiple.
        """
        if any(side % self.box_multiple for side in image.shape[2:]):
            raise GeometryError(
                f"half-unet: a box of (z, y, x) = {tuple(image.shape[2:])} voxels; each side must "
                f"be a multiple of {self.box_multiple}"
            )
        folded = rearrange(image, "b 1 (z i) (y j) (x k) -> b (i j k) z y x", i=2, j=2, k=2)
        features = self.stem(folded.contiguous(memory_format=torch.channels_last_3d))
        skips = []
        for stack, down in zip(self.encoder, self.down, strict=False):
            skips.append(stack(features))
            features = down(skips[-1])
        features = self.encoder[-1](features)
        for up, decode in zip(reversed(self.up), reversed(self.decoder), strict=True):
            features = decode(up(features) + skips.pop())
        scores: Tensor = self.head(features)
        return scores


def _check_counts(**lists: Sequence[int]) -> None:
    """Refuse what was typed for a list of whole numbers and is none."""
    for name, values in lists.items():
        is_list = isinstance(values, list | tuple) and len(values) > 0
        if not is_list or not all(type(each) is int and each > 0 for each in values):
            raise GeometryError(
                f"half-unet: {name} is {values!r}, expected a list of whole numbers from 1, one "
                "for each level; correct --network-settings"
            )


class ConvNormActivate(nn.Module):
    """Convolution without bias, instance normalisation, PReLU; side two halves the size.

    Each crop is normalised by itself, so a batch of one trains as well as a large one.
    """

    def __init__(self, num_in: int, num_out: int, side: int = 3) -> None:
        super().__init__()
        stride = 2 if side == 2 else 1
        padding = 0 if side == 2 else 1
        self.conv = nn.Conv3d(num_in, num_out, side, stride=stride, padding=padding, bias=False)
        self.activate = NormaliseActivate()

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch out z_out y_out x_out"]:
        """Convolve, normalise, activate."""
        weight = self.conv.weight
        if weight.shape[-1] == 2:
            convolved = F.conv3d(features, weight, stride=2)
        else:
            convolved = convolve_same(features, weight)
        activated: Tensor = self.activate(convolved)
        return activated


class Residual(nn.Module):
    """A stack of layers that adds to its input."""

    def __init__(self, num_channels: int, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(ConvNormActivate(num_channels, num_channels) for _ in range(num_layers))
        )

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch channel z y x"]:
        """Add the layers' answer to the features."""
        answer: Tensor = self.layers(features)
        return features + answer
