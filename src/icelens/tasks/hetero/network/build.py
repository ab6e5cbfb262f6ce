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
    if chosen.decoder == "coordinates":
        settings = validated("decoder", DecoderSettings, chosen.decoder_settings)
        return CoordinateDecoder(settings, start=_start(chosen), **grid)
    build = _offered("decoder", chosen.decoder, DECODER_GROUP, ("coordinates",))
    decoder: Decoder = build(chosen.decoder_settings, _start(chosen), **grid)
    return decoder


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
    settings = validated(f"encoder {chosen.encoder}", EncoderSettings, chosen.encoder_settings)
    samples = disc_samples(chosen.box_size, chosen.radius)
    build = _encoder_builder(chosen.encoder)
    return LatentEncoder(
        build(settings, samples), settings.width, chosen.latent_dim, chosen.num_components
    )


def _encoder_builder(name: str) -> Callable[[EncoderSettings, DiscSamples], nn.Module]:
    return ENCODERS.get(name) or _offered("encoder", name, ENCODER_GROUP, ENCODERS)


def check_settings(
    encoder: str,
    encoder_settings: Mapping[str, Any],
    decoder: str,
    decoder_settings: Mapping[str, Any],
) -> None:
    """Refuse what no network can be built of, before images are read for it.

    Raises:
        IcelensError: If encoder, decoder or a setting is unknown or impossible.
    """
    _encoder_builder(encoder)
    validated(f"encoder {encoder}", EncoderSettings, encoder_settings)
    if decoder == "coordinates":
        validated("decoder", DecoderSettings, decoder_settings)
    else:
        _offered("decoder", decoder, DECODER_GROUP, ("coordinates",))
