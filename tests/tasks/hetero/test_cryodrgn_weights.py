"""Weights that are not those of the settings, or would run something, are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from cryodrgn_workdir import Workdir

from icelens.core.errors import CheckpointError
from icelens.core.io.cryodrgn_config import CryodrgnConfig, read_cryodrgn_config
from icelens.tasks.hetero.cryodrgn_weights import read_decoder_weights

Change = Callable[[dict[str, Any]], object]


def config_of(made: Workdir) -> CryodrgnConfig:
    path = made.folder / "config.yaml"
    path.write_text(yaml.dump(made.config))
    return read_cryodrgn_config(path)


def saved(made: Workdir, content: object | None = None) -> Path:
    path = made.folder / "weights.pkl"
    torch.save(made.checkpoint() if content is None else content, path)
    return path


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
