"""`unet`: residual blocks of wide kernels, down to a sixteenth and back up to half of the image."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.cartesian_encoder import Body
from icelens.tasks.pose.network.encoder import group_norm

_NUM_HALVINGS = 4
_GROUP = 4
"""Channels normalised together: small networks have few of them."""


class WideBlock(nn.Module):
    """Two convolutions with 5 x 5 kernels added to what came in."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 5, padding=2)
        self.second = nn.Conv2d(out_channels, out_channels, 5, padding=2)
        self.first_norm = group_norm(out_channels, _GROUP)
        self.second_norm = group_norm(out_channels, _GROUP)
        is_same = in_channels == out_channels
        self.beside = nn.Identity() if is_same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y x"]:
        """Convolve, and add."""
        inner = F.gelu(self.first_norm(self.first(maps)))
        result: Tensor = F.gelu(self.beside(maps) + self.second_norm(self.second(inner)))
        return result


class UNet(Body):
    """U-Net whose levels are added, not stacked, on the way up."""

    stride = 2

    def __init__(self, in_channels: int, *, first_channels: int = 16) -> None:
        """Prepare the layers; each of the five levels has twice the channels of the one above."""
        super().__init__()
        widths = [first_channels << level for level in range(_NUM_HALVINGS + 1)]
        self.down = nn.ModuleList(
            WideBlock(*pair) for pair in zip([in_channels, *widths], widths, strict=False)
        )
        rising = list(zip(widths[:0:-1], widths[-2:0:-1], strict=False))
        self.narrow = nn.ModuleList(nn.Conv2d(*pair, 1) for pair in rising)
        self.up = nn.ModuleList(WideBlock(width, width) for _, width in rising)
        self.out_channels = widths[1]

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y_2 x_2"]:
        """Features of `2 * first_channels` at half the resolution."""
        levels: list[Tensor] = []
        for block in self.down:
            maps = block(F.avg_pool2d(maps, 2) if levels else maps)
            levels.append(maps)
        for narrow, block, beside in zip(self.narrow, self.up, levels[-2:0:-1], strict=True):
            raised = F.interpolate(narrow(maps), scale_factor=2, mode="bilinear")
            maps = block(raised + beside)
        return maps
