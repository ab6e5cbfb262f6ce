"""`convmixer`: patches of the image, mixed by wide convolutions of single channels in turns.

References:
    Trockman & Kolter, Transact. Mach. Learn. Res. (2023), figure 2.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pose.network.cartesian_encoder import Body
from icelens.tasks.pose.network.encoder import group_norm


class MixerBlock(nn.Module):
    """Mix places channel by channel, then channels place by place."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.places = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.channels = nn.Conv2d(channels, channels, 1)
        self.first_norm, self.second_norm = group_norm(channels), group_norm(channels)

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Only the mixing of places is added to what came in."""
        mixed = maps + self.first_norm(F.gelu(self.places(maps)))
        result: Tensor = self.second_norm(F.gelu(self.channels(mixed)))
        return result


class ConvMixer(Body):
    """Patches to channels, then blocks that keep the size."""

    def __init__(
        self,
        in_channels: int,
        *,
        hidden_channels: int = 512,
        depth: int = 12,
        kernel: int = 9,
        patch: int = 7,
    ) -> None:
        """Prepare the layers.

        Args:
            in_channels: Of the images.
            hidden_channels: Of all blocks.
            depth: Blocks.
            kernel: Odd side of the convolutions of single channels, in patches.
            patch: Side of the patches in px.
        """
        super().__init__()
        self.stride, self.out_channels = patch, hidden_channels
        self.patches = nn.Conv2d(in_channels, hidden_channels, patch, stride=patch)
        self.norm = group_norm(hidden_channels)
        self.blocks = nn.Sequential(*(MixerBlock(hidden_channels, kernel) for _ in range(depth)))

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y_p x_p"]:
        """Features of every patch; those that reach beyond the image see zeros there."""
        missing = -maps.shape[-1] % self.stride
        whole = F.pad(maps, (0, missing, 0, missing))
        features: Tensor = self.blocks(self.norm(F.gelu(self.patches(whole))))
        return features
