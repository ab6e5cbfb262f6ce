"""`dynunet`: MONAI's DynUNet, a U-Net as nnU-Net lays it out, with deep supervision."""

import math
from typing import TYPE_CHECKING, Any

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from icelens.jobs.config import Config
from icelens.tasks.pick.architectures.body import Body

if TYPE_CHECKING:
    from monai.networks.nets.dynunet import DynUNet

WithParameters = tuple[str, dict[str, Any]]
"""MONAI's way to name a layer with its parameters."""


class DynUNetSettings(Config):
    """Settings of `dynunet`."""

    kernel_size: tuple[PositiveInt, ...] = Field(default=(3, 3, 3, 3), min_length=3)
    """Side of the convolutions of each level."""

    strides: tuple[PositiveInt, ...] = Field(default=(1, 2, 2, 2), min_length=3)
    """Step of each level; the first also divides the output."""

    upsample_kernel_size: tuple[PositiveInt, ...] | None = None
    """Side of the transposed convolutions; by default the strides but the first."""

    filters: tuple[PositiveInt, ...] | None = None
    """Channels of each level; by default 32, 64, 128 and so on, at most 320."""

    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Share of values dropped while training."""

    norm_name: str | WithParameters = ("INSTANCE", {"affine": True})
    """Normalisation by MONAI's name."""

    act_name: str | WithParameters = ("leakyrelu", {"inplace": True, "negative_slope": 0.01})
    """Activation by MONAI's name."""

    deep_supervision: bool = False
    """Also learn from the coarser levels."""

    deep_supr_num: int = Field(default=1, ge=0)
    """How many coarser levels to learn from."""

    res_block: bool = False
    """Residual blocks instead of plain ones."""


def build_dynunet(settings: DynUNetSettings, num_classes: int) -> Body:
    """Make the network with fresh weights."""
    from monai.networks.nets.dynunet import DynUNet

    values = settings.model_dump()
    values["upsample_kernel_size"] = settings.upsample_kernel_size or settings.strides[1:]
    values["deep_supervision"] = settings.deep_supervision and settings.deep_supr_num > 0
    network = DynUNet(spatial_dims=3, in_channels=1, out_channels=num_classes, **values)
    return Body(UnrolledDynUNet(network), math.prod(settings.strides), settings.strides[0])


class UnrolledDynUNet(nn.Module):
    """The same function as a DynUNet, with each weight named once and nothing kept between calls.

    MONAI's module lists its layers twice and stores the maps of its last pass: it can neither be
    written to a safe file nor be copied while training. Coarser levels keep their own resolution.
    """

    def __init__(self, network: "DynUNet") -> None:
        super().__init__()
        self.input_block: nn.Module = network.input_block
        self.downsamples: nn.ModuleList = network.downsamples
        self.bottleneck: nn.Module = network.bottleneck
        self.upsamples: nn.ModuleList = network.upsamples
        self.output_block: nn.Module = network.output_block
        if network.deep_supervision:
            self.deep_supervision_heads: nn.ModuleList = network.deep_supervision_heads

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Give logits; while training with deep supervision those of coarser levels too."""
        skips = [self.input_block(image)]
        for down in self.downsamples:
            skips.append(down(skips[-1]))
        features = self.bottleneck(skips[-1])
        levels = []
        for up in self.upsamples:
            features = up(features, skips.pop())
            levels.append(features)
        logits: Tensor = self.output_block(features)
        if not self.training or not hasattr(self, "deep_supervision_heads"):
            return logits
        heads = zip(self.deep_supervision_heads, levels[-2::-1], strict=False)
        return [logits, *(head(level) for head, level in heads)]
