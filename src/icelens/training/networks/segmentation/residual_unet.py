"""ResidualUNet: MONAI's UNet for one-channel volumes, the same function and names, faster on a CPU.

Strided convolutions go down, transposed ones come up, skips are concatenated; each level has a
residual unit with instance normalisation and PReLU. Weights carry the names that MONAI gives them,
so that its files load as they are.
"""

import math
from collections import OrderedDict
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.errors import GeometryError
from icelens.training.networks.segmentation.image_taps import (
    are_taps_faster,
    convolve_taps,
    gather_taps,
)
from icelens.training.networks.segmentation.normalise_activate import NormaliseActivate


class ResidualUNet(nn.Module):
    """U-Net from (batch, 1, z, y, x) to `num_classes` maps, at full or half resolution.

    Args:
        num_classes: Channels of the output, background included.
        channels: Of each level, the finest first.
        strides: Of each level but the last; 1 keeps the size.
        num_res_units: Convolutions in a unit going down; 0 for plain ones without residual.
        dropout: Share of values dropped behind each normalisation.
        output_stride: 2 leaves the last up-sampling out: a convolution at half resolution decodes
            the finest level, and one of side one gives the classes.

    Raises:
        GeometryError: If channels, strides and output stride do not belong together.

    References:
        Kerfoot et al., STACOM 2018 (residual units); MONAI, `monai.networks.nets.UNet`.
    """

    def __init__(
        self,
        num_classes: int,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        *,
        num_res_units: int = 1,
        dropout: float = 0.0,
        output_stride: int = 1,
    ) -> None:
        super().__init__()
        _check_levels(channels, strides, output_stride)
        self.stride = output_stride
        self.box_multiple = math.prod(strides)
        self._num_res_units = num_res_units
        self._dropout = dropout
        self.model = self._level(1, num_classes, channels, strides, is_top=True)

    def forward(
        self, image: Float[Tensor, "batch 1 z y x"]
    ) -> Float[Tensor, "batch num_classes z_out y_out x_out"]:
        """Give the logits of each class."""
        logits: Tensor = self.model(image)
        return logits

    def _level(
        self,
        num_in: int,
        num_out: int,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        *,
        is_top: bool = False,
    ) -> nn.Sequential:
        """Down, all that lies below with a skip around it, and up again."""
        width = channels[0]
        if len(channels) > 2:
            below: nn.Module = self._level(width, width, channels[1:], strides[1:])
            num_up = 2 * width
        else:
            below = self._down(width, channels[1], stride=1)
            num_up = width + channels[1]
        if is_top and self.stride > 1:
            # half the width: this one convolution would else be a quarter of the network
            up: nn.Module = nn.Sequential(
                ConvNormActivate(num_up, width // 2, dropout=self._dropout),
                nn.Conv3d(width // 2, num_out, 1),
            )
        else:
            up = self._up(num_up, num_out, strides[0], is_top=is_top)
        return nn.Sequential(self._down(num_in, width, strides[0]), WithSkip(below), up)

    def _down(self, num_in: int, num_out: int, stride: int) -> nn.Module:
        if self._num_res_units == 0:
            return ConvNormActivate(num_in, num_out, stride, dropout=self._dropout)
        return ResidualUnit(
            num_in, num_out, stride, num_convs=self._num_res_units, dropout=self._dropout
        )

    def _up(self, num_in: int, num_out: int, stride: int, *, is_top: bool) -> nn.Module:
        has_unit = self._num_res_units > 0
        conv = ConvNormActivate(
            num_in,
            num_out,
            stride,
            dropout=self._dropout,
            is_transposed=True,
            conv_only=is_top and not has_unit,
        )
        if not has_unit:
            return conv
        unit = ResidualUnit(
            num_out, num_out, num_convs=1, dropout=self._dropout, last_conv_only=is_top
        )
        return nn.Sequential(conv, unit)


class WithSkip(nn.Module):
    """Hands its input on beside what its submodule makes of it."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch joined z y x"]:
        """Concatenate channels."""
        return torch.cat([features, self.submodule(features)], dim=1)


class ConvNormActivate(nn.Module):
    """Convolution of side three, instance normalisation, dropout, PReLU."""

    def __init__(
        self,
        num_in: int,
        num_out: int,
        stride: int = 1,
        *,
        dropout: float = 0.0,
        is_transposed: bool = False,
        conv_only: bool = False,
    ) -> None:
        super().__init__()
        if is_transposed:
            self.conv: nn.Conv3d | nn.ConvTranspose3d = nn.ConvTranspose3d(
                num_in, num_out, 3, stride, padding=1, output_padding=stride - 1
            )
        else:
            self.conv = nn.Conv3d(num_in, num_out, 3, stride, padding=1)
        self.adn = nn.Identity() if conv_only else NormaliseActivate(dropout)

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch out z_out y_out x_out"]:
        """Convolve, normalise, activate."""
        result: Tensor = self.adn(self.conv(features))
        return result


class ResidualUnit(nn.Module):
    """Some convolutions, and the input added to what they give.

    Where the size or the number of channels changes, a convolution fits the input to that.
    """

    def __init__(
        self,
        num_in: int,
        num_out: int,
        stride: int = 1,
        *,
        num_convs: int,
        dropout: float = 0.0,
        last_conv_only: bool = False,
    ) -> None:
        super().__init__()
        self.stride = stride
        units = [
            ConvNormActivate(
                num_in if index == 0 else num_out,
                num_out,
                stride if index == 0 else 1,
                dropout=dropout,
                conv_only=last_conv_only and index == num_convs - 1,
            )
            for index in range(num_convs)
        ]
        self.conv = nn.Sequential(OrderedDict((f"unit{i}", unit) for i, unit in enumerate(units)))
        self.residual: nn.Identity | nn.Conv3d = nn.Identity()
        if stride > 1:
            self.residual = nn.Conv3d(num_in, num_out, 3, stride, padding=1)
        elif num_in != num_out:
            self.residual = nn.Conv3d(num_in, num_out, 1)

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch out z_out y_out x_out"]:
        """Add the fitted input to the result of the convolutions."""
        if self.stride > 1 and are_taps_faster(features):
            return self._of_image(features)
        result: Tensor = self.conv(features)
        # in place: neither a convolution nor the activation needs its own output again
        return result.add_(self.residual(features))

    def _of_image(self, image: Tensor) -> Tensor:
        taps = gather_taps(image, self.stride)
        first = cast(ConvNormActivate, self.conv[0])
        result: Tensor = first.adn(_convolve(taps, first.conv))
        result = self.conv[1:](result)
        return result.add_(_convolve(taps, cast(nn.Conv3d, self.residual)))


def _convolve(taps: Tensor, conv: nn.Conv3d | nn.ConvTranspose3d) -> Tensor:
    assert conv.bias is not None, "every convolution here has a bias"
    return convolve_taps(taps, conv.weight, conv.bias)


def _check_levels(channels: tuple[int, ...], strides: tuple[int, ...], output_stride: int) -> None:
    if len(channels) < 2 or len(strides) != len(channels) - 1:
        raise GeometryError(
            f"unet: {len(channels)} channels and {len(strides)} strides; give at least two "
            "channels, and one stride less than channels"
        )
    if output_stride not in (1, strides[0]):
        raise GeometryError(
            f"unet: an output stride of {output_stride} needs a first stride of {output_stride}, "
            f"found strides {', '.join(map(str, strides))}; change one of them"
        )
