"""Images on rings about their centre: turning an image in its plane shifts them along the angle."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class PolarSampler(nn.Module):
    """Sample maps on rings by linear interpolation; tables are made anew, never saved.

    Ring r has the radius `(r + 1/2) * reach / num_radii`, angle a lies `2 pi a / num_angles` from x
    towards y, about the point that the centre pixel `n // 2` of the image falls on.
    """

    grid: Tensor

    def __init__(
        self,
        box_size: int,
        num_radii: int,
        num_angles: int,
        *,
        reach: float,
        stride: int = 1,
        margin: int = 0,
    ) -> None:
        """Prepare the places.

        Args:
            box_size: Side of the image in px.
            num_radii: Rings.
            num_angles: Samples of each ring.
            reach: Radius up to which rings lie, in px of the image.
            stride: Px of the image that one px of the map stands for; where the box is no multiple
                of it, the last px of the map reaches beyond the image.
            margin: Px by which the map goes beyond the image at the end of each axis.
        """
        super().__init__()
        radius = (torch.arange(num_radii) + 0.5) * (reach / num_radii)
        angle = torch.arange(num_angles) * (2.0 * math.pi / num_angles)
        offset_xy = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
        place_xy = box_size // 2 + radius[:, None, None] * offset_xy
        # map px p covers the image from stride * p; its middle lies (stride - 1) / 2 further on
        side = -(-box_size // stride) + margin
        on_map = (place_xy - 0.5 * (stride - 1)) / stride
        # -1 and 1 are the outer edges of the first and the last px
        self.register_buffer("grid", (2.0 * on_map + 1.0) / side - 1.0, persistent=False)

    def forward(self, maps: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c radius angle"]:
        """Values on the rings; zero outside the map."""
        # places rounded to bfloat16 would be an eighth of a pixel off
        grid = self.grid.expand(len(maps), -1, -1, -1)
        return F.grid_sample(maps.to(grid.dtype), grid, mode="bilinear", align_corners=False)


class RingConvolution(nn.Module):
    """A convolution over radius and angle that knows that the angle is a circle.

    Means over neighbours that follow it are part of it: the mean of a convolution is one with a
    wider, averaged kernel, taken at every other place only.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        pooled: tuple[int, int] = (1, 1),
    ) -> None:
        """Prepare the weights.

        Args:
            in_channels: Of the rings.
            out_channels: Of the answer.
            kernel: Odd side.
            pooled: Radii and angles that are averaged to one.
        """
        super().__init__()
        self.margin = kernel // 2
        self.pooled = pooled
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel)

    def forward(self, rings: Float[Tensor, "b c radius angle"]) -> Float[Tensor, "b d r a"]:
        """Convolve; the angle is wrapped, beyond the centre and the rim there are zeros."""
        margin, end = self.margin, rings.shape[-1] - self.margin
        wrapped = torch.cat([rings[..., end:], rings, rings[..., :margin]], dim=-1)
        weight, bias = self.convolution.weight, self.convolution.bias
        return F.conv2d(wrapped, self._averaged(weight), bias, self.pooled, (margin, 0))

    def _averaged(self, weight: Float[Tensor, "d c k k"]) -> Float[Tensor, "d c k_r k_a"]:
        radii, angles = self.pooled
        if radii == angles == 1:
            return weight
        shifted = [
            F.pad(weight, (angle, angles - 1 - angle, radius, radii - 1 - radius))
            for radius in range(radii)
            for angle in range(angles)
        ]
        return torch.stack(shifted).mean(dim=0)
