"""Networks of hetero, built from settings that fit into a checkpoint."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import JsonValue
from torch import nn

from icelens.core.errors import IcelensError
from icelens.core.refinement.samples import DiscSamples, disc_samples
from icelens.jobs.named_settings import validated
from icelens.jobs.registry import did_you_mean
from icelens.tasks.hetero.network.component_part import ComponentPart
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network.decoder import Decoder
from icelens.tasks.hetero.network.encoders import ConvolutionalEncoder, LatentEncoder, MLPEncoder
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork
from icelens.tasks.hetero.network.network_settings import (
    DecoderSettings,
    EncoderSettings,
    NetworkSettings,
)

ENCODER_GROUP = "icelens.hetero_encoders"
"""Other packages offer encoders here: `build(settings: EncoderSettings, samples) -> nn.Module`."""
DECODER_GROUP = "icelens.hetero_decoders"
"""Other packages offer decoders here: `build(settings, start, box_size=, latent_dim=)`."""
ENCODERS: dict[str, Callable[[EncoderSettings, DiscSamples], nn.Module]] = {
    "mlp": MLPEncoder,
    "conv": ConvolutionalEncoder,
}


def build_network(settings: Mapping[str, JsonValue]) -> HeteroNetwork:
    """Build a network; the same settings give the same one but for its first weights.

    Raises:
        IcelensError: If an encoder or a setting is unknown or impossible.
    """
    chosen = validated("network", NetworkSettings, settings)
    decoders = [_decoder(chosen) for _ in range(2 if chosen.has_halves else 1)]
    encoder = _encoder(chosen) if chosen.model == "vae" else None
    return HeteroNetwork(chosen, encoder, decoders)


def check_parts(settings: Mapping[str, JsonValue]) -> None:
    """Refuse encoders, decoders and settings that are not there, before anything is computed.

    Args:
        settings: Those of `build_network` that a user chooses.

    Raises:
        IcelensError: If one is unknown or impossible.
    """
    unknown_yet = {"box_size": 16, "radius": 7, "num_particles": 1, "num_images": 1}
    chosen = validated("network", NetworkSettings, {**unknown_yet, **settings})
    _chosen_decoder(chosen)
    if chosen.model == "vae":
        _chosen_encoder(chosen)


def _start(chosen: NetworkSettings) -> ComponentPart | None:
    if chosen.start == "nothing":
        return None
    return ComponentPart(
        chosen.num_components,
        chosen.latent_dim,
        box_size=chosen.box_size,
        radius=chosen.radius,
        support=chosen.support,
    )


def _decoder(chosen: NetworkSettings) -> Decoder:
    grid = {"box_size": chosen.box_size, "latent_dim": chosen.latent_dim}
    build, settings = _chosen_decoder(chosen)
    if isinstance(settings, DecoderSettings):
        return CoordinateDecoder(settings, start=_start(chosen), **grid)
    decoder: Decoder = build(settings, _start(chosen), **grid)
    return decoder


def _chosen_decoder(chosen: NetworkSettings) -> tuple[Callable[..., Any], object]:
    if chosen.decoder == "coordinates":
        settings = validated("decoder", DecoderSettings, chosen.decoder_settings)
        return CoordinateDecoder, settings
    build = _offered("decoder", chosen.decoder, DECODER_GROUP, ("coordinates",))
    return build, chosen.decoder_settings


def _offered(kind: str, name: str, group: str, ours: Iterable[str]) -> Callable[..., Any]:
    """What another package registered under a name."""
    offered = {entry.name: entry for entry in entry_points(group=group)}
    if name not in offered:
        raise IcelensError(f"no {kind} {name}; {did_you_mean(name, [*ours, *offered])}")
    build: Callable[..., Any] = offered[name].load()
    return build


def _encoder(chosen: NetworkSettings) -> LatentEncoder:
    if not chosen.latent_dim:
        raise IcelensError("a VAE with 0 latent coordinates; choose --model homogeneous")
    build, settings = _chosen_encoder(chosen)
    samples = disc_samples(chosen.box_size, chosen.radius)
    return LatentEncoder(
        build(settings, samples), settings.width, chosen.latent_dim, chosen.num_components
    )


def _chosen_encoder(chosen: NetworkSettings) -> tuple[Callable[..., nn.Module], EncoderSettings]:
    settings = validated(f"encoder {chosen.encoder}", EncoderSettings, chosen.encoder_settings)
    build = ENCODERS.get(chosen.encoder) or _offered(
        "encoder", chosen.encoder, ENCODER_GROUP, ENCODERS
    )
    return build, settings
