from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryodrgn_workdir import Workdir

from icelens.core.errors import InputFileError
from icelens.core.io.cryodrgn_config import CryodrgnConfig, read_cryodrgn_config
from icelens.tasks.hetero.cryodrgn_workdir import epochs_of, files_of_epoch, located


def config_of(folder: Path, **changes: Any) -> CryodrgnConfig:
    (folder / "config.yaml").write_text(yaml.dump(Workdir(folder).config))
    return replace(read_cryodrgn_config(folder / "config.yaml"), **changes)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"x")


def test_files_without_a_number_are_the_last(tmp_path: Path) -> None:
    touch(tmp_path, "weights.2.pkl", "z.2.pkl", "weights.pkl", "z.pkl", "pose.pkl")
    config = config_of(tmp_path)
    found = files_of_epoch(tmp_path, config, None)
    assert (found.epoch, found.weights.name, found.poses) == (None, "weights.pkl", None)
    refined = files_of_epoch(tmp_path, replace(config, are_poses_refined=True), None)
    assert refined.poses == tmp_path / "pose.pkl"


def test_else_the_largest_number_with_latents_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, *(f"weights.{number}.pkl" for number in (2, 9, 10, 11)))
    touch(tmp_path, *(f"z.{number}.pkl" for number in (2, 9, 10)), "weights.latest.pkl")
    config = config_of(tmp_path)
    assert files_of_epoch(tmp_path, config, None).epoch == 10
    assert epochs_of(tmp_path, config) == (2, 9, 10)
    assert files_of_epoch(tmp_path, config, 9).weights.name == "weights.9.pkl"


def test_one_structure_has_no_latents(tmp_path: Path) -> None:
    touch(tmp_path, "weights.3.pkl")
    found = files_of_epoch(tmp_path, config_of(tmp_path, latent_dim=0), None)
    assert (found.epoch, found.latents) == (3, None)


def test_what_is_missing_is_said_with_what_is_there(tmp_path: Path) -> None:
    touch(tmp_path, "weights.3.pkl", "z.3.pkl", "weights.4.pkl")
    config = config_of(tmp_path)
    with pytest.raises(InputFileError, match=r"no weights.4.pkl with z.4.pkl.*it holds 3 .--epoch"):
        files_of_epoch(tmp_path, config, 4)
    with pytest.raises(InputFileError, match="it holds no epochs"):
        files_of_epoch(tmp_path / "other", config, None)


def test_files_are_found_beside_the_settings(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    config = config_of(folder)
    touch(folder, "ctf.pkl")
    touch(tmp_path, "pose.pkl")
    assert located(config, "/far/away/ctf.pkl", None, "--ctf") == folder / "ctf.pkl"
    assert located(config, "C:\\far\\pose.pkl", None, "--poses") == tmp_path / "pose.pkl"
    assert located(config, str(folder), None, "--datadir", is_folder=True) == folder
    assert located(config, "/far/ctf.pkl", Path("given"), "--ctf") == Path("given")
    assert located(config, None, None, "--ctf") is None


def test_files_that_are_nowhere_are_named_with_the_flag(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"names /far/ctf.pkl, which is not here.*--ctf"):
        located(config_of(tmp_path), "/far/ctf.pkl", None, "--ctf")
