"""SCUNet3D: a residual U-Net whose blocks split their channels between convolution and attention.

The function of IsoNet2's scunet-fast, -small, -medium and -fast-large; one set of weights serves
boxes of multiples of 48 (windows of 3 voxels) and of 64 (windows of 4).
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.errors import GeometryError
from icelens.training.networks.convolution_3d import convolve_same, convolve_to_one
from icelens.training.networks.window_attention_3d import WindowAttention3D, Windows

NUM_HALVINGS = 4
BLOCKS_PER_LEVEL = 2
MAX_DROP = 0.1
FRN_EPSILON = 1e-6


class SCUNet3D(nn.Module):
    """Swin-Conv-UNet for volumes.

    Args:
        num_channels: At full resolution; doubled at each of the four halvings.
        is_fast: Replace the blocks at full resolution by plain convolutions.

    References:
        Zhang et al., SCUNet, Mach. Intell. Res. 20 (2023); in 3D: Cao et al., EMReady2 (2025).
    """

    def __init__(self, num_channels: int, *, is_fast: bool) -> None:
        super().__init__()
        widths = [num_channels * 2**level for level in range(NUM_HALVINGS + 1)]
        num_blocks = (2 * NUM_HALVINGS + (-1 if is_fast else 1)) * BLOCKS_PER_LEVEL
        drops = iter(torch.linspace(0, MAX_DROP, num_blocks).tolist())
        self.stem = nn.Conv3d(1, num_channels, 3, padding=1, bias=False)
        self.encoder = nn.ModuleList(
            ConvolutionLevel(width, starts_with_norm=True)
            if is_fast and level == 0
            else SwinConvLevel(width, drops)
            for level, width in enumerate(widths[:-1])
        )
        self.down = nn.ModuleList(nn.Conv3d(n, 2 * n, 2, stride=2, bias=False) for n in widths[:-1])
        self.bottleneck = SwinConvLevel(widths[-1], drops)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(2 * n, n, 2, stride=2, bias=False) for n in widths[:-1]
        )
        # Drop rates rise along the forward pass, which meets the decoder's deepest level first.
        decoder = [
            ConvolutionLevel(widths[level], starts_with_norm=False)
            if is_fast and level == 0
            else SwinConvLevel(widths[level], drops)
            for level in reversed(range(NUM_HALVINGS))
        ]
        self.decoder = nn.ModuleList(reversed(decoder))
        self.head = nn.Conv3d(num_channels, 1, 3, padding=1, bias=False)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(self, image: Float[Tensor, "batch 1 z y x"]) -> Float[Tensor, "batch 1 z y x"]:
        """Restore normalised volumes; sides all multiples of 48, or all of 64.

        Raises:
            GeometryError: If the windows do not fit the sides.
        """
        side = window_side(tuple(image.shape[2:]))
        features = convolve_same(image, self.stem.weight)
        skips = [features]
        for level, down in zip(self.encoder, self.down, strict=True):
            features = down(level(features, side))
            skips.append(features)
        features = self.bottleneck(features, side)
        for level, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            features = level(up(features + skips.pop()), side)
        return convolve_to_one(features + skips.pop(), self.head.weight) + image


def window_side(shape_zyx: tuple[int, ...]) -> int:
    """Give the window that divides the coarsest level of a box: 3, else 4 voxels.

    Raises:
        GeometryError: If neither does.
    """
    for side in (3, 4):
        if all(length % (side * 2**NUM_HALVINGS) == 0 for length in shape_zyx):
            return side
    raise GeometryError(
        f"scunet: no window fits a box of (z, y, x) = {shape_zyx} voxels; choose a box size of "
        "48, 96, 144, 192 ... (multiples of 48) or 64, 128, 192 ... (multiples of 64)"
    )


class SwinConvLevel(nn.Module):
    """Two blocks, the second with shifted windows."""

    def __init__(self, num_channels: int, drops: Iterator[float]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            SwinConvBlock(num_channels, next(drops)) for _ in range(BLOCKS_PER_LEVEL)
        )

    def forward(
        self, features: Float[Tensor, "batch channel z y x"], side: int
    ) -> Float[Tensor, "batch channel z y x"]:
        """Apply the blocks with windows of `side` voxels."""
        for index, block in enumerate(self.blocks):
            features = block(features, Windows(side, is_shifted=index % 2 == 1))
        return features


class ConvolutionLevel(nn.Module):
    """Three normalised convolutions at full resolution, without a residual."""

    def __init__(self, num_channels: int, *, starts_with_norm: bool) -> None:
        super().__init__()
        self.norm = FilterResponseNorm3D(num_channels) if starts_with_norm else nn.Identity()
        self.stack = _normalised_convolutions(num_channels, count=3)

    def forward(
        self, features: Float[Tensor, "batch channel z y x"], side: int
    ) -> Float[Tensor, "batch channel z y x"]:
        """Apply the convolutions; they have no windows."""
        del side
        convolved: Tensor = self.stack(self.norm(features))
        return convolved


class SwinConvBlock(nn.Module):
    """Half of the channels convolved, half attended within windows, mixed before and after."""

    def __init__(self, num_channels: int, drop: float) -> None:
        super().__init__()
        half = num_channels // 2
        self.mix_in = nn.Conv3d(num_channels, num_channels, 1)
        self.convolutions = _normalised_convolutions(half, count=2)
        self.norm_1 = nn.LayerNorm(half)
        self.attention = WindowAttention3D(half)
        self.norm_2 = nn.LayerNorm(half)
        self.mlp = nn.Sequential(nn.Linear(half, 4 * half), nn.GELU(), nn.Linear(4 * half, half))
        self.drop = StochasticDepth(drop)
        self.mix_out = nn.Conv3d(num_channels, num_channels, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(
        self, features: Float[Tensor, "batch channel z y x"], windows: Windows
    ) -> Float[Tensor, "batch channel z y x"]:
        """Add what the two branches find."""
        convolved, attended = self.mix_in(features).chunk(2, dim=1)
        convolved = self.convolutions(convolved) + convolved
        tokens = attended.permute(0, 2, 3, 4, 1)
        tokens = tokens + self.drop(self.attention(self.norm_1(tokens), windows))
        tokens = tokens + self.drop(self.mlp(self.norm_2(tokens)))
        branches = torch.cat([convolved, tokens.permute(0, 4, 1, 2, 3)], dim=1)
        mixed: Tensor = self.mix_out(branches)
        return features + mixed


class FilterResponseNorm3D(nn.Module):
    """Divide each channel by its root mean square over the volume; a learnt floor activates.

    References:
        Singh & Krishnan, Filter Response Normalization, CVPR 2020, eqs 1-3.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        shape = (1, num_channels, 1, 1, 1)
        self.scale = nn.Parameter(torch.ones(shape))
        self.offset = nn.Parameter(torch.zeros(shape))
        self.floor = nn.Parameter(torch.zeros(shape))

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch channel z y x"]:
        """Normalise and activate."""
        # The mean of squares in float32: half precision would overflow on it.
        power = features.float().square().mean(dim=(2, 3, 4), keepdim=True)
        factor = (power + FRN_EPSILON).rsqrt() * self.scale
        return torch.maximum(features * factor.to(features.dtype) + self.offset, self.floor)


class StochasticDepth(nn.Module):
    """In training, leave a branch out for single items and scale the others up to the same mean."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.drop = drop

    def forward(
        self, branch: Float[Tensor, "batch z y x channel"]
    ) -> Float[Tensor, "batch z y x channel"]:
        """Keep each item with probability `1 - drop`."""
        if not self.training or self.drop == 0:
            return branch
        keep = 1 - self.drop
        kept = branch.new_empty(len(branch), 1, 1, 1, 1).bernoulli_(keep)
        return branch * kept / keep


def _normalised_convolutions(num_channels: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.Conv3d(num_channels, num_channels, 3, padding=1, bias=False))
        layers.append(FilterResponseNorm3D(num_channels))
    return nn.Sequential(*layers)
