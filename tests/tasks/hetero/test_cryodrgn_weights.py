"""cryoDRGN's decoders come out as networks of ours that say the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from cryodrgn_decoder import ReferenceDecoder
from cryodrgn_workdir import BOX, Workdir

from icelens.core.errors import CheckpointError
from icelens.core.fourier.transforms import volume_rfft
from icelens.core.io.cryodrgn_config import ENCODINGS, CryodrgnConfig, read_cryodrgn_config
from icelens.tasks.hetero.cryodrgn_weights import read_decoder_weights
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network_model import NetworkModel
from icelens.training.device import choose_compute

Change = Callable[[dict[str, Any]], object]


def config_of(made: Workdir) -> CryodrgnConfig:
    path = made.folder / "config.yaml"
    path.write_text(yaml.dump(made.config))
    return read_cryodrgn_config(path)


def saved(made: Workdir, content: object | None = None) -> Path:
    path = made.folder / "weights.pkl"
    torch.save(made.checkpoint() if content is None else content, path)
    return path


def decoder_of(made: Workdir) -> tuple[NetworkModel, CoordinateDecoder]:
    config = config_of(made)
    found = read_decoder_weights(saved(made), config)
    shape = {
        "width": found.width, "num_layers": found.num_layers, "encoding": config.encoding,
        "num_frequencies": config.num_frequencies, "domain": config.domain,
        "activation": config.activation,
    }  # fmt: skip
    settings = {
        "model": "autodecoder" if config.latent_dim else "homogeneous", "box_size": BOX,
        "radius": BOX // 2, "latent_dim": config.latent_dim, "num_particles": 1, "num_images": 1,
        "has_base": False, "decoder_settings": shape,
    }  # fmt: skip
    network = build_network(settings)
    decoder = network.decoders[0]
    assert isinstance(decoder, CoordinateDecoder)
    decoder.load_state_dict(dict(found.tensors))
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
        ours = decoder.points(torch.tensor(latent).float(), frequency).numpy()
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


def test_names_of_parallel_modules_are_understood(tmp_path: Path) -> None:
    made = Workdir(tmp_path)
    content = made.checkpoint()
    state = content["model_state_dict"]
    content["model_state_dict"] = {f"module.{name}": value for name, value in state.items()}
    plain = read_decoder_weights(saved(made), config_of(made))
    found = read_decoder_weights(saved(made, content), config_of(made))
    assert all(torch.equal(found.tensors[name], plain.tensors[name]) for name in plain.tensors)


MAIN = "decoder.decoder.main"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop(f"{MAIN}.0.weight"), "the file is incomplete"),
        (lambda s: s.pop(f"{MAIN}.2.linear.bias"), "the file is incomplete"),
        (lambda s: [s.pop(f"{MAIN}.6.{x}") for x in ("weight", "bias")], "has 1 hidden layers"),
        (lambda s: s.update({f"{MAIN}.0.weight": torch.zeros(8, 30)}), r"layer 0 is \(8, 30\)"),
        (lambda s: s.update({f"{MAIN}.0.weight": torch.zeros(8)}), "layer 0 is no linear one"),
        (lambda s: s.update({f"{MAIN}.2.linear.weight": torch.zeros(8, 7)}), "adds 7 values to 8"),
        (lambda s: s.update({f"{MAIN}.6.weight": torch.full((2, 8), torch.nan)}), "not finite"),
        (lambda s: s.update({f"{MAIN}.6.weight": [1, 2]}), "is no tensor of numbers"),
        (
            lambda s: s.update({f"{MAIN}.6.weight": torch.zeros(2, 8, dtype=torch.int32)}),
            "is no tensor of numbers",
        ),
        (lambda s: s.pop("decoder.rand_freqs"), r"rand_freqs is absent, expected \(15, 3"),
        (lambda s: s.update({"decoder.rand_freqs": torch.zeros(9, 3)}), r"rand_freqs is \(9, 3\)"),
        (lambda s: s.update({"decoder.other.weight": torch.zeros(2)}), "other.weight is no part"),
        (lambda s: s.clear(), "of another name"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Change, message: str, tmp_path: Path) -> None:
    made = Workdir(tmp_path)
    content = made.checkpoint()
    change(content["model_state_dict"])
    path = saved(made, content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_decoder_weights(path, config_of(made))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_layers_that_do_not_add_are_refused(tmp_path: Path) -> None:
    made = Workdir(tmp_path)
    content = made.checkpoint()
    state = content["model_state_dict"]
    content["model_state_dict"] = {k.replace(".linear", ""): v for k, v in state.items()}
    with pytest.raises(CheckpointError, match="hidden layers are not residual"):
        read_decoder_weights(saved(made, content), config_of(made))


def test_networks_that_ours_cannot_be_are_refused(tmp_path: Path) -> None:
    made = Workdir(tmp_path, kind="abinitio", domain="hartley")
    content = made.checkpoint()
    content["hypervolume_params"]["pe_type_conf"] = "geom"
    with pytest.raises(CheckpointError, match="encodes its latents"):
        read_decoder_weights(saved(made, content), config_of(made))
    content["hypervolume_state_dict"] = {"volume": torch.zeros(17, 17, 17)}
    with pytest.raises(CheckpointError, match="an explicit volume instead of a network"):
        read_decoder_weights(saved(made, content), config_of(made))


def test_weights_of_another_command_are_refused(tmp_path: Path) -> None:
    made, other = Workdir(tmp_path, kind="abinitio"), Workdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"no hypervolume_state_dict.*abinit"):
        read_decoder_weights(saved(other), config_of(made))


class Runs:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.mark,)


def test_weights_that_run_something_are_refused(tmp_path: Path) -> None:
    made = Workdir(tmp_path)
    path = saved(made, made.checkpoint() | {"more": Runs(tmp_path / "executed")})
    with pytest.raises(CheckpointError, match="nothing was executed"):
        read_decoder_weights(path, config_of(made))
    assert not (tmp_path / "executed").exists()
