"""The networks that `pick` knows by name, those of other packages included."""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import torch
from torch import Tensor, nn

from icelens.core.errors import GeometryError, IcelensError
from icelens.jobs.config import Config
from icelens.jobs.named_settings import validated
from icelens.jobs.registry import did_you_mean
from icelens.tasks.pick.architectures.attention_unet import (
    AttentionUNetSettings,
    build_attention_unet,
)
from icelens.tasks.pick.architectures.body import Body
from icelens.tasks.pick.architectures.dynunet import DynUNetSettings, build_dynunet
from icelens.tasks.pick.architectures.mednext import MedNeXtSettings, build_mednext
from icelens.tasks.pick.architectures.segresnet import SegResNetSettings, build_segresnet
from icelens.tasks.pick.architectures.swinunetr import SwinUNETRSettings, build_swinunetr
from icelens.tasks.pick.architectures.unet import UNetSettings, build_unet
from icelens.training.networks.convolution_3d import is_misread

ENTRY_POINT_GROUP = "icelens.networks"
"""Another package offers a network as an entry point: its name, and a callable that takes the
settings (a mapping without `architecture`) and the number of classes, background included, and
returns a module from (batch, 1, z, y, x) to logits, or to a list of them while training. Its
attributes `stride` and `box_multiple`, if it has them, are heeded; 1 otherwise."""


@dataclass(frozen=True)
class Architecture:
    """Settings of a network and how to build it from them."""

    settings_type: type[Config]
    build: Callable[[Any, int], Body]


ARCHITECTURES: dict[str, Architecture] = {
    "unet": Architecture(UNetSettings, build_unet),
    "dynunet": Architecture(DynUNetSettings, build_dynunet),
    "segresnet": Architecture(SegResNetSettings, build_segresnet),
    "swinunetr": Architecture(SwinUNETRSettings, build_swinunetr),
    "attention-unet": Architecture(AttentionUNetSettings, build_attention_unet),
    "mednext": Architecture(MedNeXtSettings, build_mednext),
}

OWN_NETWORKS: dict[str, str] = {
    "half-unet": "icelens.training.networks.half_unet_3d:HalfUNet3D",
}
"""Modules of ours that know their own stride and box multiple; called with the number of classes
and their settings by keyword."""


class SegmentationNetwork(nn.Module):
    """A network with what is known of it: (batch, 1, z, y, x) to logits (batch, class, ...).

    While training, networks with deep supervision give a list, the finest output first; in
    evaluation mode there is always one tensor.
    """

    def __init__(self, body: Body, settings: Mapping[str, Any], num_classes: int) -> None:
        super().__init__()
        self.body = body.module
        self.stride = body.stride
        self.box_multiple = body.box_multiple
        self.num_classes = num_classes
        self.settings = dict(settings)
        """All settings, `architecture` included: `build_network` makes the same from them."""

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Give the logits of each class, background first.

        Raises:
            GeometryError: If the network cannot take boxes of that size.
        """
        self.check_box(tuple(image.shape[2:]))
        # modules of other packages convolve their coarsest maps as they like, see `is_misread`
        coarsest = [side // self.box_multiple for side in image.shape[2:]]
        if is_misread(coarsest, image.device):
            with torch.autocast("cpu", enabled=False):
                output = self.body(image.float())
        else:
            output = self.body(image)
        if isinstance(output, list | tuple):
            return list(output) if self.training and len(output) > 1 else output[0]
        result: Tensor = output
        return result

    def check_box(self, sides: Sequence[int]) -> None:
        """Refuse boxes that the network cannot halve as often as it must.

        Raises:
            GeometryError: If a side is no multiple of `box_multiple`, or one voxel would be left,
                which no normalisation can handle.
        """
        multiple = self.box_multiple
        is_single = multiple > 1 and math.prod(side // multiple for side in sides) == 1
        if is_single or any(side < 1 or side % multiple for side in sides):
            raise GeometryError(
                f"{self.settings['architecture']}: boxes of (z, y, x) = {tuple(sides)} voxels do "
                f"not fit; each side must be a multiple of {multiple}, such as "
                f"{multiple * max(2, round(max(sides) / multiple))}"
            )


def architecture_names() -> tuple[str, ...]:
    """Names of all networks, those of other packages last."""
    offered = [entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return tuple(dict.fromkeys([*ARCHITECTURES, *OWN_NETWORKS, *offered]))


def build_network(settings: Mapping[str, Any], num_classes: int) -> SegmentationNetwork:
    """Make a network with fresh weights, drawn from torch's generator.

    Args:
        settings: `architecture`, and what it has to set; the rest takes its defaults.
        num_classes: Channels of the output, background included.

    Raises:
        IcelensError: If the network or a setting is unknown, or they do not go together.
    """
    if num_classes < 2:
        raise IcelensError(
            f"a network of {num_classes} classes cannot tell anything apart; expected background "
            "and at least one object"
        )
    given = dict(settings)
    name = str(given.pop("architecture", "unet"))
    if name in ARCHITECTURES:
        chosen = validated(f"network {name}", ARCHITECTURES[name].settings_type, given)
        body = _built(name, lambda: ARCHITECTURES[name].build(chosen, num_classes))
        given = chosen.model_dump(mode="json")
    else:
        body = _built(name, _maker_of_module(name, given, num_classes))
    return SegmentationNetwork(body, {"architecture": name, **given}, num_classes)


def _built(name: str, make: Callable[[], Body]) -> Body:
    """Build, and put what a foreign package says against the settings into one line."""
    try:
        return make()
    except (ValueError, TypeError, AssertionError, IndexError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise IcelensError(
            f"network {name}: its settings do not go together ({reason}); change them"
        ) from error


def _maker_of_module(name: str, given: Mapping[str, Any], num_classes: int) -> Callable[[], Body]:
    """How to make a network that knows its own stride and box multiple."""
    if name in OWN_NETWORKS:
        module_name, _, attribute = OWN_NETWORKS[name].partition(":")
        own = getattr(importlib.import_module(module_name), attribute)
        return lambda: _body_of(own(num_classes=num_classes, **given), name)
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in offered:
        raise IcelensError(f"{name}: no such network; {did_you_mean(name, architecture_names())}")
    return lambda: _body_of(offered[name].load()(dict(given), num_classes), name)


def _body_of(module: object, name: str) -> Body:
    if not isinstance(module, nn.Module):
        raise IcelensError(
            f"{name}: its entry point gave {type(module).__name__}, expected a torch.nn.Module; "
            "mend or uninstall the package that offers it"
        )
    multiple, stride = getattr(module, "box_multiple", 1), getattr(module, "stride", 1)
    return Body(module, int(multiple), int(stride))
