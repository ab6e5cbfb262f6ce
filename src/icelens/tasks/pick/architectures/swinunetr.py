"""`swinunetr`: MONAI's SwinUNETR, attention within shifted windows going down."""

from pydantic import Field, PositiveInt

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body

BOX_MULTIPLE = 32
"""Patches of two voxels, halved four times more."""


class SwinUNETRSettings(Config):
    """Settings of `swinunetr`."""

    feature_size: int = Field(default=24, ge=12, multiple_of=12)
    """Channels of the finest level, a multiple of 12."""

    depths: tuple[PositiveInt, ...] = Field(default=(2, 2, 2, 2), min_length=4, max_length=4)
    """Blocks of each level."""

    num_heads: tuple[PositiveInt, ...] = Field(default=(3, 6, 12, 24), min_length=4, max_length=4)
    """Attention heads of each level."""

    window_size: int = Field(default=7, ge=1)
    """Side of a window, in patches."""

    drop_rate: float = Field(default=0.0, ge=0, lt=1)
    """Share of values dropped while training."""

    attn_drop_rate: float = Field(default=0.0, ge=0, lt=1)
    """Share of attention dropped while training."""

    dropout_path_rate: float = Field(default=0.0, ge=0, lt=1)
    """Share of blocks skipped while training, at the deepest level."""

    use_checkpoint: bool = False
    """Compute maps again for the gradient instead of keeping them: less memory, more time."""


def build_swinunetr(settings: SwinUNETRSettings, num_classes: int) -> Body:
    """Make the network with fresh weights."""
    from monai.networks.nets.swin_unetr import SwinUNETR

    network = SwinUNETR(
        spatial_dims=3, in_channels=1, out_channels=num_classes, **settings.model_dump()
    )
    return Body(network, BOX_MULTIPLE)
