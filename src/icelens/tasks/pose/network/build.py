"""The network that finds poses, built from settings that fit into a checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, cast

import torch
from pydantic import JsonValue
from torch import nn

from icelens.core.errors import IcelensError
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.jobs.named_settings import validated
from icelens.jobs.registry import did_you_mean
from icelens.tasks.pose.network.cartesian_encoder import Body, CartesianEncoder
from icelens.tasks.pose.network.convmixer_encoder import ConvMixer
from icelens.tasks.pose.network.encoder import NUM_CHANNELS, Encoder
from icelens.tasks.pose.network.network_settings import (
    ConvMixerSettings,
    EncoderSettings,
    NetworkSettings,
    PolarSettings,
    ResNetSettings,
    UNetSettings,
)
from icelens.tasks.pose.network.polar_encoder import PolarEncoder
from icelens.tasks.pose.network.resnet_encoder import ResNet
from icelens.tasks.pose.network.rotation_network import RotationNetwork
from icelens.tasks.pose.network.unet_encoder import UNet

ENTRY_POINT_GROUP = "icelens.encoders"
"""Another package offers an encoder as an entry point: its name, and a callable that takes the box
size in px and the encoder's settings (a mapping), and returns a module from images `(b, 2, y, x)`
to features `(b, out_channels, num_radii, num_angles)` with these three numbers as attributes; see
`icelens.tasks.pose.network.encoder.Encoder`."""

_FAULTS = (ImportError, AttributeError, ValueError, TypeError, AssertionError, LookupError)
"""Of a foreign package or of the settings it was given."""
_ATTRIBUTES = ("out_channels", "num_radii", "num_angles")


@dataclass(frozen=True)
class Kind:
    """Settings of an encoder and how to build it: box size, least number of angles, settings."""

    settings_type: type[EncoderSettings]
    build: Callable[[int, int, dict[str, Any]], Encoder]


def _polar(box_size: int, min_angles: int, given: dict[str, Any]) -> Encoder:
    return PolarEncoder(box_size, min_angles=min_angles, **given)


def _on_the_plane(make_body: Callable[..., Body]) -> Callable[[int, int, dict[str, Any]], Encoder]:
    def build(box_size: int, min_angles: int, given: dict[str, Any]) -> Encoder:
        sigmas = given.pop("sigmas")
        body = make_body(NUM_CHANNELS * len(sigmas), **given)
        return CartesianEncoder(body, box_size, sigmas=sigmas, min_angles=min_angles)

    return build


ENCODERS: dict[str, Kind] = {
    "polar": Kind(PolarSettings, _polar),
    "unet": Kind(UNetSettings, _on_the_plane(UNet)),
    "resnet": Kind(ResNetSettings, _on_the_plane(ResNet)),
    "convmixer": Kind(ConvMixerSettings, _on_the_plane(ConvMixer)),
}


def encoder_names() -> tuple[str, ...]:
    """Names of all encoders, those of other packages last."""
    offered = [entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return tuple(dict.fromkeys([*ENCODERS, *offered]))


def build_network(settings: Mapping[str, JsonValue], symmetry: str) -> RotationNetwork:
    """Make a network with fresh weights, drawn from torch's generator.

    Args:
        settings: As `NetworkSettings` has them; what is not said takes its default.
        symmetry: Point group of the particle, such as D2.

    Returns:
        The network; its `settings` are these with every default spelled out, so that it can be
        built again when defaults have changed.

    Raises:
        IcelensError: If an encoder, a setting or the symmetry is unknown, or they do not go
            together.
    """
    chosen = validated("network", NetworkSettings, settings)
    operators = symmetry_operators(symmetry)
    encoder, given = _encoder(chosen)
    return RotationNetwork(
        encoder,
        operators,
        max_degree=chosen.max_degree,
        sphere_channels=chosen.sphere_channels,
        rotation_channels=chosen.rotation_channels,
        settings=chosen.model_dump(mode="json") | {"encoder_settings": given},
    )


def _encoder(chosen: NetworkSettings) -> tuple[Encoder, dict[str, JsonValue]]:
    """The encoder, and its settings with their defaults."""
    name, box_size = chosen.encoder, chosen.box_size
    min_angles = 2 * chosen.max_degree + 1
    if name in ENCODERS:
        kind = ENCODERS[name]
        known = validated(f"encoder {name}", kind.settings_type, chosen.encoder_settings)
        return kind.build(box_size, min_angles, known.model_dump()), known.model_dump(mode="json")
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in offered:
        raise IcelensError(f"{name}: no such encoder; {did_you_mean(name, encoder_names())}")
    given = dict(chosen.encoder_settings)
    try:
        module = offered[name].load()(box_size, dict(given))
    except _FAULTS as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise IcelensError(
            f"encoder {name}: cannot be made ({reason}); change its settings or its package"
        ) from error
    return _checked(module, name, box_size, min_angles), given


def _checked(module: object, name: str, box_size: int, min_angles: int) -> Encoder:
    """An encoder of another package, after one image."""
    numbers = [getattr(module, attribute, None) for attribute in _ATTRIBUTES]
    if not isinstance(module, nn.Module) or not all(isinstance(each, int) for each in numbers):
        raise IcelensError(
            f"encoder {name}: its entry point gave {type(module).__name__}, expected a "
            f"torch.nn.Module with the whole numbers {', '.join(_ATTRIBUTES)}; mend its package"
        )
    if cast(int, numbers[2]) < min_angles:
        raise IcelensError(
            f"encoder {name}: gives {numbers[2]} angles, expected {min_angles} or more, twice the "
            "highest degree plus one; lower max_degree or enlarge box_size"
        )
    with torch.no_grad():
        answer = module(torch.zeros(2, NUM_CHANNELS, box_size, box_size))
    if not isinstance(answer, torch.Tensor) or list(answer.shape) != [2, *numbers]:
        found = tuple(getattr(answer, "shape", ())) or type(answer).__name__
        raise IcelensError(
            f"encoder {name}: answers two images with {found}, expected {(2, *numbers)}; mend its "
            "package"
        )
    return cast(Encoder, module)
