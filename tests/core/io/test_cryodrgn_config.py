from pathlib import Path
from typing import Any

import pytest
import yaml
from cryodrgn_workdir import BOX, Workdir

from icelens.core.errors import InputFileError
from icelens.core.io.cryodrgn_config import ENCODINGS, read_cryodrgn_config


def written(folder: Path, content: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(content if isinstance(content, str) else yaml.dump(content))
    return path


@pytest.mark.parametrize(
    ("kind", "latent_dim"), [("vae", 3), ("autodecoder", 3), ("homogeneous", 0), ("abinitio", 3)]
)
def test_runs_of_every_command_are_told_apart(kind: str, latent_dim: int, tmp_path: Path) -> None:
    made = Workdir(tmp_path, kind=kind, latent_dim=latent_dim)
    config = read_cryodrgn_config(written(tmp_path, made.config))
    assert (config.kind, config.latent_dim, config.box_size) == (kind, latent_dim, BOX)
    assert (config.num_layers, config.width, config.num_frequencies) == (2, 8, 5)
    assert config.norm == (0.0, 7.5)
    assert config.version == "4.3.0"
    assert (config.poses is None) == (kind == "abinitio")
    assert config.are_poses_refined == (kind == "abinitio")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_known(encoding: str, tmp_path: Path) -> None:
    made = Workdir(tmp_path, encoding=encoding, pe_dim=None)
    config = read_cryodrgn_config(written(tmp_path, made.config))
    assert config.encoding == encoding
    assert config.num_frequencies == BOX // 2


def test_early_files_without_version_and_activation_are_read(tmp_path: Path) -> None:
    content = Workdir(tmp_path).config
    del content["version"], content["model_args"]["activation"]
    del content["dataset_args"]["do_pose_sgd"]
    config = read_cryodrgn_config(written(tmp_path, content))
    assert (config.version, config.activation) == ("unknown", "relu")


def test_tilt_series_are_recognised(tmp_path: Path) -> None:
    content = Workdir(tmp_path).config
    content["model_args"]["encode_mode"] = "tilt"
    assert read_cryodrgn_config(written(tmp_path, content)).are_tilts
    content = Workdir(tmp_path, kind="abinitio").config
    content["training"]["subtomogram_averaging"] = True
    assert read_cryodrgn_config(written(tmp_path, content)).are_tilts


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("lattice_args", "D", 16, "expected an odd number"),
        ("lattice_args", "D", "a lot", "D is 'a lot'"),
        ("lattice_args", "extent", float("nan"), "extent is nan"),
        ("model_args", "pe_type", "wavelets", "pe_type is 'wavelets', expected gaussian"),
        ("model_args", "domain", None, "domain is missing"),
        ("model_args", "zdim", -1, "zdim is -1"),
        ("model_args", "pdim", 10**9, "pdim is 1000000000"),
        ("model_args", "players", True, "players is True"),
        ("dataset_args", "norm", [0.0], "norm is "),
        ("dataset_args", "norm", [0.0, float("inf")], "expected a finite number"),
        ("dataset_args", "norm", [0.0, 0.0], "standard deviation of the data is 0"),
        ("dataset_args", "particles", 5, "particles is 5, expected the name of a file"),
        ("dataset_args", "ctf", "a\0b", "expected the name of a file"),
    ],
)
def test_what_cannot_be_is_said(
    section: str, key: str, value: object, message: str, tmp_path: Path
) -> None:
    content: dict[str, Any] = Workdir(tmp_path).config
    content[section][key] = value
    path = written(tmp_path, content)
    with pytest.raises(InputFileError, match=message) as caught:
        read_cryodrgn_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("section", ["dataset_args", "lattice_args", "model_args"])
def test_a_missing_section_is_named(section: str, tmp_path: Path) -> None:
    content = Workdir(tmp_path).config
    del content[section]
    with pytest.raises(InputFileError, match=f"section {section} is missing"):
        read_cryodrgn_config(written(tmp_path, content))


def test_settings_of_another_program_are_refused(tmp_path: Path) -> None:
    content = Workdir(tmp_path).config
    del content["model_args"]["players"]
    with pytest.raises(InputFileError, match="neither players nor layers"):
        read_cryodrgn_config(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: !!python/object/apply:os.mkdir [executed]", "asks for a Python object"),
        ("a: !!python/tuple [1, 2]", "asks for a Python object"),
        ("!!python/name:os.system", "asks for a Python object"),
        ("a: [1, 2", "not valid YAML"),
        ("\x00\x01", "not valid YAML"),
        ("just words", "holds no settings"),
        ("", "holds no settings"),
        ("[" * 2000, "not valid YAML"),
    ],
)
def test_files_that_are_no_plain_settings_are_refused(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, content)
    with pytest.raises(InputFileError, match=message) as caught:
        read_cryodrgn_config(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_cryodrgn_config(tmp_path / "config.yaml")
