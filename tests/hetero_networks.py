"""Small networks of hetero with random weights, and batches for them."""

from typing import Any

import torch
from hetero_world import BOX, PIXEL, states
from torch import Tensor

from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork, ImageBatch
from icelens.tasks.hetero.network_model import NetworkModel
from icelens.training.device import choose_compute

RADIUS = BOX // 2 - 1
ENCODINGS = (
    "gaussian",
    "geom_ft",
    "geom_full",
    "geom_lowf",
    "geom_nohighf",
    "linear_lowf",
    "none",
)


def network(seed: int = 0, **changes: Any) -> HeteroNetwork:
    """A network whose last layers are random, so that it says something."""
    settings: dict[str, Any] = {
        "model": "vae",
        "box_size": BOX,
        "radius": RADIUS,
        "latent_dim": 2,
        "num_particles": 5,
        "num_images": 10,
        "start": "nothing",
        "encoder_settings": {"width": 16, "num_layers": 1},
        "decoder_settings": {"width": 24, "num_layers": 1},
    }
    torch.manual_seed(seed)
    made = build_network({**settings, **changes})
    for decoder in made.decoders:
        assert isinstance(decoder, CoordinateDecoder)
        torch.nn.init.normal_(decoder.network.last.weight, std=0.3)
        decoder.set_scale(torch.linspace(30.0, 3.0, BOX // 2 + 1))
        if decoder.start is not None:
            one, other = states()
            channels = [0.5 * (one + other), 0.5 * (one - other), 0.3 * one, 0.2 * other]
            decoder.start.set_channels(torch.stack(channels[: len(decoder.start.channels)]))
    return made


def model(made: HeteroNetwork) -> NetworkModel:
    return NetworkModel(made, PIXEL, choose_compute("cpu", "float32"))


def batch(
    made: HeteroNetwork, *, tilts: int = 2, axes: Tensor | None = None, seed: int = 1
) -> ImageBatch:
    """All five particles with random images."""
    generator = torch.Generator().manual_seed(seed)
    count, rows = len(made.samples.index), 5 * tilts
    values = torch.randn(rows, count, dtype=torch.cfloat, generator=generator)
    transfer = torch.rand(rows, count, generator=generator) + 0.2
    return ImageBatch(
        seen=values,
        seen_transfer=transfer,
        values=values,
        transfer=transfer,
        places=torch.arange(count),
        sample_weight=torch.ones(count),
        axes=random_rotations(rows, generator) if axes is None else axes,
        image=torch.arange(rows),
        owner=torch.arange(5).repeat_interleave(tilts),
        particle=torch.arange(5),
        half_set=torch.tensor([1, 2, 1, 2, 1]),
        noise=torch.randn(5, made.settings.latent_dim, generator=generator),
        known=torch.rand(5, made.settings.num_components, 2, generator=generator),
    )
