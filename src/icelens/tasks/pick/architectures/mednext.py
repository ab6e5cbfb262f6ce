"""`mednext`: MONAI's MedNeXt, large depthwise kernels between thin and thick layers."""

from typing import Literal

from pydantic import Field, PositiveInt

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body


class MedNeXtSettings(Config):
    """Settings of `mednext`."""

    init_filters: int = Field(default=32, ge=1)
    """Channels of the finest level, doubled at each level."""

    encoder_expansion_ratio: int | tuple[PositiveInt, ...] = 2
    """How much thicker blocks are inside, going down."""

    decoder_expansion_ratio: int | tuple[PositiveInt, ...] = 2
    """How much thicker blocks are inside, coming up."""

    bottleneck_expansion_ratio: int = Field(default=2, ge=1)
    """How much thicker blocks are inside, at the bottom."""

    kernel_size: int = Field(default=7, ge=1)
    """Side of the depthwise convolutions, odd."""

    deep_supervision: bool = False
    """Also learn from the coarser levels."""

    use_residual_connection: bool = False
    """Add the input of each block to its output."""

    norm_type: Literal["group", "layer"] = "group"
    """Normalisation of the blocks."""

    global_resp_norm: bool = False
    """Normalise the response of each channel over the volume."""

    blocks_down: tuple[PositiveInt, ...] = (2, 2, 2, 2)
    """Blocks of each level going down."""

    blocks_bottleneck: int = Field(default=2, ge=1)
    """Blocks at the bottom."""

    blocks_up: tuple[PositiveInt, ...] = (2, 2, 2, 2)
    """Blocks of each level coming up."""


def build_mednext(settings: MedNeXtSettings, num_classes: int) -> Body:
    """Make the network with fresh weights.

    Raises:
        ValueError: If the levels down and up differ, or the side of the kernel is even.
    """
    from monai.networks.nets.mednext import MedNeXt

    if len(settings.blocks_down) != len(settings.blocks_up):
        raise ValueError("blocks_down and blocks_up must have as many levels")
    if settings.kernel_size % 2 == 0:
        raise ValueError(f"kernel_size is {settings.kernel_size}, it must be odd")
    network = MedNeXt(
        spatial_dims=3, in_channels=1, out_channels=num_classes, **settings.model_dump()
    )
    return Body(network, 2 ** len(settings.blocks_down))
