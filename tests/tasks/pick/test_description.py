"""What a checkpoint says of its objects is read back, and amended without touching the rest."""

from pathlib import Path

import pytest
import torch

from icelens.core.errors import CheckpointError
from icelens.tasks.pick.description import objects_of, read_checkpoint
from icelens.training.checkpoint import amend_checkpoint, save_checkpoint

KNOWN = {
    "task": "pick",
    "network": {"architecture": "unet"},
    "objects": [
        {"name": "bright", "label": 3, "radius": 60.0, "weight": 2.0, "is_particle": True},
        {"name": "ribosome", "label": 4, "radius": 150.0},
        {"name": "membrane", "label": 9, "radius": None},
    ],
    "thresholds": {},
}


def write(folder: Path, **changes: object) -> Path:
    path = folder / "best.safetensors"
    save_checkpoint(path, {"weight": torch.arange(3.0)}, {**KNOWN, **changes})
    return path


def test_what_has_no_radius_is_no_particle_where_the_file_does_not_say(tmp_path: Path) -> None:
    bright, ribosome, membrane = objects_of(read_checkpoint(write(tmp_path)))
    assert (bright.weight, bright.is_particle) == (2.0, True)
    assert (ribosome.weight, ribosome.is_particle) == (1.0, True)
    assert (membrane.radius, membrane.is_particle) == (None, False)


def test_amending_leaves_weights_and_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path)
    amend_checkpoint(path, {"thresholds": {"bright": 0.4}, "score": 0.9})
    again = read_checkpoint(tmp_path)
    assert again.description == {**KNOWN, "thresholds": {"bright": 0.4}, "score": 0.9}
    assert again.tensors["weight"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("changes", [{"task": "restore"}, {"task": None}])
def test_checkpoint_of_another_task_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(CheckpointError, match="expected one of pick") as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
