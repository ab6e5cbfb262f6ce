"""`resnet`: residual networks of 18 or 50 layers, their last three scales added up at a quarter."""

from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.cartesian_encoder import Body
from icelens.tasks.pose.network.encoder import group_norm

_NUM_BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
_KERNELS = {18: (3, 3), 50: (1, 3, 1)}
_EXPANSION = {18: 1, 50: 4}
"""How many times as many channels the sum has as the 3 x 3 convolutions."""


class PlainBlock(nn.Module):
    """The residual block of ResNet-18 (`basic`) or ResNet-50 (`bottleneck`), averaging to halve.

    References:
        He et al., CVPR 2016, figure 5; halving by averages: He et al., CVPR 2019, ResNet-D.
    """

    def __init__(self, in_channels: int, width: int, depth: int, *, is_halving: bool) -> None:
        super().__init__()
        out_channels = width * _EXPANSION[depth]
        kernels = _KERNELS[depth]
        widths = [in_channels, *[width] * (len(kernels) - 1), out_channels]
        layers: list[nn.Module] = []
        for kernel, (before, after) in zip(kernels, pairwise(widths), strict=True):
            layers += [nn.GELU()] if layers else []
            layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)]
            layers += [group_norm(after)]
        # the last sum starts as what came in, as deep stacks learn best from there
        nn.init.zeros_(layers[-1].weight)  # type: ignore[arg-type]
        self.layers = nn.Sequential(*layers)
        self.halve = nn.AvgPool2d(2) if is_halving else nn.Identity()
        is_same = in_channels == out_channels
        self.beside = nn.Identity() if is_same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y_s x_s"]:
        """Convolve and add to what came in; both are halved before."""
        maps = self.halve(maps)
        result: Tensor = F.gelu(self.beside(maps) + self.layers(maps))
        return result


class ResNet(Body):
    """Four stages, and a pyramid that brings the last three together.

    References:
        Lin et al., CVPR 2017, the sum of scales.
    """

    stride = 4

    def __init__(
        self,
        in_channels: int,
        *,
        depth: Literal[18, 50] = 18,
        first_channels: int = 64,
        out_channels: int = 128,
    ) -> None:
        """Prepare the layers.

        Args:
            in_channels: Of the images.
            depth: Layers: of basic blocks, or of bottlenecks.
            first_channels: Width of the first stage; each has twice that of the one before.
            out_channels: Of the features.
        """
        super().__init__()
        self.out_channels = out_channels
        # an even kernel lies about the middle of the two px that it makes one of
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, first_channels, 8, stride=2, padding=3, bias=False),
            group_norm(first_channels),
            nn.GELU(),
        )
        self.stages = nn.ModuleList()
        self.across = nn.ModuleList()
        channels = first_channels
        for stage, count in enumerate(_NUM_BLOCKS[depth]):
            width = first_channels << stage
            blocks: list[nn.Module] = []
            for place in range(count):
                is_halving = stage > 0 and place == 0
                blocks.append(PlainBlock(channels, width, depth, is_halving=is_halving))
                channels = width * _EXPANSION[depth]
            self.stages.append(nn.Sequential(*blocks))
            if stage > 0:
                self.across.append(nn.Conv2d(channels, out_channels, 1))

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y_4 x_4"]:
        """Features at a quarter of the resolution."""
        maps = self.stages[0](self.stem(maps))
        found = []
        for stage, across in zip(self.stages[1:], self.across, strict=True):
            maps = stage(maps)
            found.append(across(maps))
        total: Tensor = found.pop()
        while found:
            finer = found.pop()
            total = finer + F.interpolate(total, scale_factor=2, mode="bilinear")
        return total
