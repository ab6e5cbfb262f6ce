"""`attention-unet`: MONAI's AttentionUnet, whose skips are weighted by what lies below."""

import math

from pydantic import Field, PositiveInt

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body


class AttentionUNetSettings(Config):
    """Settings of `attention-unet`."""

    channels: tuple[PositiveInt, ...] = Field(default=(32, 64, 96, 96), min_length=2)
    """Channels of each level, the finest first."""

    strides: tuple[PositiveInt, ...] = (2, 2, 1)
    """Step of each level but the last; 1 keeps the size."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of values dropped while training."""


def build_attention_unet(settings: AttentionUNetSettings, num_classes: int) -> Body:
    """Make the network with fresh weights.

    Raises:
        ValueError: If there is not one stride less than channels; MONAI would fail later.
    """
    from monai.networks.nets.attentionunet import AttentionUnet

    if len(settings.strides) != len(settings.channels) - 1:
        raise ValueError("there must be one stride less than channels")
    network = AttentionUnet(
        spatial_dims=3,
        in_channels=1,
        out_channels=num_classes,
        channels=settings.channels,
        strides=settings.strides,
        dropout=settings.dropout,
    )
    return Body(network, math.prod(settings.strides))
