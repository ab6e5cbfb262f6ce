"""States of a search: found again, or refused in one line."""

from pathlib import Path

import pytest
import torch

from icelens.core.errors import CheckpointError
from icelens.tasks.hetero.abinitio.state_files import StateFiles
from icelens.training.checkpoint import save_checkpoint


def test_what_is_saved_is_found_again_when_resuming(tmp_path: Path) -> None:
    StateFiles(tmp_path, {"seed": 1}, is_resumed=False).save("a", {"x": torch.ones(3)}, {"n": 2})
    assert StateFiles(tmp_path, {"seed": 1}, is_resumed=False).load("a") is None
    known = StateFiles(tmp_path, {"seed": 1}, is_resumed=True).load("a")
    assert known is not None
    assert torch.equal(known[0]["x"], torch.ones(3))
    assert known[1] == {"n": 2}
    assert StateFiles(tmp_path, {"seed": 1}, is_resumed=True).load("b") is None


def test_states_of_other_settings_are_refused(tmp_path: Path) -> None:
    StateFiles(tmp_path, {"seed": 1}, is_resumed=False).save("a", {"x": torch.ones(3)}, {})
    with pytest.raises(CheckpointError, match="seed 1, now it is 2"):
        StateFiles(tmp_path, {"seed": 2}, is_resumed=True).load("a")


def test_other_and_damaged_files_are_refused(tmp_path: Path) -> None:
    files = StateFiles(tmp_path, {"seed": 1}, is_resumed=True)
    save_checkpoint(tmp_path / "state_a.safetensors", {"x": torch.ones(1)}, {"kind": "other"})
    with pytest.raises(CheckpointError, match="begin anew"):
        files.load("a")
    (tmp_path / "state_a.safetensors").write_bytes(b"not a state")
    with pytest.raises(CheckpointError, match="damaged"):
        files.load("a")
