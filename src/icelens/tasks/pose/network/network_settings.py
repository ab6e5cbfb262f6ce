"""Settings of the network that finds poses, and of each encoder of ours."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator

from icelens.jobs.config import Config

SIGMAS = (0.7, 1.5, 3.0)
"""Widths of the Gaussian bank in px."""


class NetworkSettings(Config):
    """What a network is built from, and what its checkpoint remembers."""

    encoder: str = "polar"
    """polar, unet, resnet, convmixer, or one that another package offers."""

    box_size: int = Field(default=64, ge=16, le=1024, multiple_of=16)
    """Side of the images in px."""

    encoder_settings: dict[str, JsonValue] = Field(default={})
    """Settings of the encoder by name."""

    max_degree: int = Field(default=8, ge=1, le=32)
    """Highest degree of the harmonics on sphere and rotations."""

    sphere_channels: int = Field(default=32, ge=8, multiple_of=8)
    """Functions on the sphere."""

    rotation_channels: int = Field(default=16, ge=1)
    """Functions on the rotations."""


class EncoderSettings(Config):
    """What all our encoders have."""

    sigmas: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=SIGMAS, min_length=1)
    """Widths in px of the Gaussians through which the image is seen, in rising order."""

    @field_validator("sigmas")
    @classmethod
    def _rise(cls, sigmas: tuple[float, ...]) -> tuple[float, ...]:
        if list(sigmas) != sorted(set(sigmas)):
            raise ValueError("expected widths in rising order")
        return sigmas


class PolarSettings(EncoderSettings):
    """Settings of `polar`."""

    channels: int = Field(default=24, ge=1)
    """Of the first half; twice as many in the second."""

    num_blocks: int = Field(default=2, ge=0)
    """Residual blocks of the second half."""


class UNetSettings(EncoderSettings):
    """Settings of `unet`."""

    first_channels: int = Field(default=16, ge=1)
    """Of the finest level; each of the four below has twice as many."""


class ResNetSettings(EncoderSettings):
    """Settings of `resnet`."""

    depth: Literal[18, 50] = 18
    """Layers: 18 of basic blocks, 50 of bottlenecks."""

    first_channels: int = Field(default=64, ge=1)
    """Of the first of four stages; each has twice as many as the one before."""

    out_channels: int = Field(default=128, ge=1)
    """Of the features."""


class ConvMixerSettings(EncoderSettings):
    """Settings of `convmixer`."""

    hidden_channels: int = Field(default=512, ge=1)
    """Of all blocks."""

    depth: int = Field(default=12, ge=1)
    """Blocks."""

    kernel: int = Field(default=9, ge=1)
    """Odd side of the convolutions of single channels, in patches."""

    patch: int = Field(default=7, ge=1, le=16)
    """Side of the patches in px."""

    @field_validator("kernel")
    @classmethod
    def _is_odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError("expected an odd number")
        return kernel
