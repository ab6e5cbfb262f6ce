"""Networks made of cryoDRGN's decoders say what its formulas say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from cryodrgn_decoder import ReferenceDecoder
from cryodrgn_workdir import BOX, Workdir

from icelens.core.data.latents import LatentTable
from icelens.core.fourier.transforms import volume_rfft
from icelens.core.io.cryodrgn_config import ENCODINGS, read_cryodrgn_config
from icelens.tasks.hetero.cryodrgn_network import imported_network
from icelens.tasks.hetero.cryodrgn_weights import read_decoder_weights
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network_model import NetworkModel
from icelens.training.device import choose_compute


def decoder_of(made: Workdir) -> tuple[NetworkModel, CoordinateDecoder]:
    settings, weights = made.folder / "config.yaml", made.folder / "weights.pkl"
    settings.write_text(yaml.dump(made.config))
    torch.save(made.checkpoint(), weights)
    config = read_cryodrgn_config(settings)
    latents = LatentTable(made.latent.astype(float)) if config.latent_dim else None
    network = imported_network(config, read_decoder_weights(weights, config), latents, 12)
    decoder = network.decoders[0]
    assert isinstance(decoder, CoordinateDecoder)
    return NetworkModel(network, 2.0, choose_compute("cpu", "float32", 1)), decoder


def latent_of(made: Workdir) -> np.ndarray:
    return np.random.default_rng(5).normal(size=made.latent_dim)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("domain", ["fourier", "hartley"])
def test_values_at_points_are_the_reference_s(encoding: str, domain: str, tmp_path: Path) -> None:
    frequencies = None if encoding == "linear_lowf" else 5
    check(Workdir(tmp_path, encoding=encoding, domain=domain, pe_dim=frequencies, norm=(0.3, 7.5)))


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "autodecoder", "activation": "leaky_relu"},
        {"kind": "homogeneous", "latent_dim": 0},
        {"kind": "homogeneous", "latent_dim": 0, "encoding": "none", "extent": 0.3},
        {"kind": "abinitio", "domain": "hartley"},
        {"num_layers": 0},
        {"width": 33},  # as many as the first layer gets, which then adds
        {"width": 1, "domain": "hartley"},  # as many as the last one gives
        {"width": 2, "encoding": "none"},
    ],
    ids=str,
)
def test_networks_of_every_shape_say_the_same(shape: dict[str, Any], tmp_path: Path) -> None:
    check(Workdir(tmp_path, **shape))


def check(made: Workdir) -> None:
    latent = latent_of(made)
    points = np.random.default_rng(3).uniform(-0.28, 0.28, (60, 3))
    points[:, 2] = -np.abs(points[:, 2])
    _, decoder = decoder_of(made)
    with torch.inference_mode():
        frequency = torch.tensor(points * BOX).float()
        shared = decoder.embedded_points(frequency)
        ours = decoder.points(torch.tensor(latent).float(), frequency, shared).numpy()
    theirs = ReferenceDecoder(made.weights, made.config).fourier(points, latent)
    # single against double precision
    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize("kind", ["vae", "abinitio"])
def test_volumes_are_the_reference_s(kind: str, tmp_path: Path) -> None:
    made = Workdir(tmp_path, kind=kind, domain="hartley", norm=(0.0, 3.0))
    latent = latent_of(made)
    (ours,) = decoder_of(made)[0].volumes(torch.tensor(latent).float()[None])
    theirs = ReferenceDecoder(made.weights, made.config).volume(latent, radius=BOX / 2 - 0.5)
    # the zero frequency was never learnt, and is left out
    difference = ours.numpy() - (theirs - theirs.mean())
    assert np.abs(difference).max() < 1e-4 * np.abs(theirs).max()


def test_transforms_of_volumes_are_the_reference_s_but_for_a_plane(tmp_path: Path) -> None:
    made = Workdir(tmp_path, domain="fourier")
    latent = latent_of(made)
    (ours,) = decoder_of(made)[0].volumes(torch.tensor(latent).float()[None])
    theirs = ReferenceDecoder(made.weights, made.config).volume(latent, radius=BOX / 2 - 0.5)
    # at k_z = 0 nothing told the network that its halves meet: which of them is asked, differs
    spectra = [volume_rfft(torch.as_tensor(each).double())[1:] for each in (ours, theirs)]
    assert float((spectra[0] - spectra[1]).abs().max()) < 1e-4 * float(spectra[1].abs().max())
