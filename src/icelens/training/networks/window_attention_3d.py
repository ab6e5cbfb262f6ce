"""Attention within small cubic windows of a volume, plain or shifted by half a window."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

LARGEST_WINDOW = 4
NUM_OFFSETS = 2 * LARGEST_WINDOW - 1
"""Relative positions along an axis of the largest window."""
HEAD_DIM = 16


class Windows(NamedTuple):
    """Side of the windows in voxels, and whether the grid is moved by half of it."""

    side: int
    is_shifted: bool


class WindowAttention3D(nn.Module):
    """Self-attention among the voxels of a window, with a learnt bias for each relative position.

    The table of biases is made for the largest window; a smaller one uses its middle, so that one
    set of weights serves boxes of either window.

    References:
        Liu et al., Swin Transformer, ICCV 2021; Zhang et al., SCUNet, Mach. Intell. Res. 20 (2023).
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.num_heads = num_channels // HEAD_DIM
        self.project_in = nn.Linear(num_channels, 3 * num_channels)
        self.project_out = nn.Linear(num_channels, num_channels)
        # Flat, as `Module.to(memory_format=channels_last_3d)` accepts no tensor of four axes.
        self.position_bias = nn.Parameter(torch.empty(self.num_heads, NUM_OFFSETS**3))
        nn.init.trunc_normal_(self.position_bias, std=0.02)

    def forward(
        self, features: Float[Tensor, "batch z y x channel"], windows: Windows
    ) -> Float[Tensor, "batch z y x channel"]:
        """Attend within each window; every side must be a multiple of the window's."""
        side = windows.side
        # A grid of one window has no neighbours to exchange with.
        is_shifted = windows.is_shifted and min(features.shape[1:4]) > side
        shift = side // 2 if is_shifted else 0
        moved = features.roll((-shift,) * 3, dims=(1, 2, 3))
        grid = [length // side for length in moved.shape[1:4]]
        tokens = rearrange(
            moved, "b (z p) (y q) (x r) c -> b (z y x) (p q r) c", p=side, q=side, r=side
        )
        queries, keys, values = rearrange(
            self.project_in(tokens), "b w t (three h c) -> three b w h t c", three=3, c=HEAD_DIM
        )
        bias = self._bias(side).to(queries.dtype)
        if is_shifted:
            bias = bias.masked_fill(wrapped_pairs(grid, side, features.device), -torch.inf)
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        merged: Tensor = rearrange(
            self.project_out(rearrange(attended, "b w h t c -> b w t (h c)")),
            "b (z y x) (p q r) c -> b (z p) (y q) (x r) c",
            z=grid[0],
            y=grid[1],
            p=side,
            q=side,
        )
        return merged.roll((shift,) * 3, dims=(1, 2, 3))

    def _bias(self, side: int) -> Float[Tensor, "head token token"]:
        axis = torch.arange(side, device=self.position_bias.device)
        place = torch.cartesian_prod(axis, axis, axis)
        offset = place[:, None] - place[None, :] + LARGEST_WINDOW - 1
        z, y, x = offset.unbind(-1)
        return self.position_bias[:, (z * NUM_OFFSETS + y) * NUM_OFFSETS + x]


def wrapped_pairs(
    grid: list[int], side: int, device: torch.device
) -> Bool[Tensor, "window 1 token token"]:
    """Mark the pairs of voxels that share a shifted window only because the volume was rolled."""
    labels = [_wrapped(count * side, side, device) for count in grid]
    label = labels[0][:, None, None] * 4 + labels[1][None, :, None] * 2 + labels[2][None, None, :]
    tokens = rearrange(label, "(z p) (y q) (x r) -> (z y x) 1 (p q r)", p=side, q=side, r=side)
    return tokens[..., :, None] != tokens[..., None, :]


def _wrapped(length: int, side: int, device: torch.device) -> Int[Tensor, " length"]:
    """Give 1 to the last positions of a rolled axis, which came from its beginning."""
    return (torch.arange(length, device=device) >= length - side // 2).long()
