"""`unet`: the residual U-Net of MONAI, with instance normalisation and PReLU."""

from typing import Literal

from pydantic import Field, PositiveInt

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body
from icelens.training.networks.segmentation.residual_unet import ResidualUNet


class UNetSettings(Config):
    """Settings of `unet`."""

    channels: tuple[PositiveInt, ...] = Field(default=(32, 64, 96, 96), min_length=2)
    """Channels of each level, the finest first."""

    strides: tuple[PositiveInt, ...] = (2, 2, 1)
    """Step of each level but the last; 1 keeps the size."""

    num_res_units: int = Field(default=1, ge=0)
    """Convolutions in each residual unit."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of values dropped while training."""

    output_stride: Literal[1, 2] = 1
    """2 leaves the last up-sampling out: the output has half the resolution."""


def build_unet(settings: UNetSettings, num_classes: int) -> Body:
    """Make the network with fresh weights."""
    network = ResidualUNet(
        num_classes,
        settings.channels,
        settings.strides,
        num_res_units=settings.num_res_units,
        dropout=settings.dropout,
        output_stride=settings.output_stride,
    )
    return Body(network, network.box_multiple, network.stride)
