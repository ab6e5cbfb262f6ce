"""`segresnet`: MONAI's SegResNetDS, a residual encoder with a light decoder."""

import math

from pydantic import Field, PositiveInt

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body


class SegResNetSettings(Config):
    """Settings of `segresnet`."""

    init_filters: int = Field(default=32, ge=1)
    """Channels of the finest level, doubled at each level."""

    blocks_down: tuple[PositiveInt, ...] = (1, 2, 2, 4)
    """Blocks of each level going down."""

    blocks_up: tuple[PositiveInt, ...] | None = None
    """Blocks of each level coming up; by default one."""

    dsdepth: int = Field(default=1, ge=1)
    """Levels to learn from; 1 is the output alone."""

    act: str = "prelu"
    """Activation by MONAI's name."""

    norm: str = "instance"
    """Normalisation by MONAI's name."""

    upsample_mode: str = "deconv"
    """How to come up: deconv, pixelshuffle or nontrainable."""

    resolution: tuple[float, float, float] | None = None
    """Voxel sizes along z, y, x if they differ: the finer axes are halved first."""


def build_segresnet(settings: SegResNetSettings, num_classes: int) -> Body:
    """Make the network with fresh weights."""
    from monai.networks.nets.segresnet_ds import SegResNetDS

    network = SegResNetDS(
        spatial_dims=3, in_channels=1, out_channels=num_classes, **settings.model_dump()
    )
    factors = network.shape_factor()  # type: ignore[no-untyped-call]
    return Body(network, math.lcm(*(int(factor) for factor in factors)))
