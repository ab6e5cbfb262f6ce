"""Models that were damaged or written by something else are refused in one line."""

from pathlib import Path

import pytest
from watched_folder import write_model

from icelens.core.errors import CheckpointError
from icelens.tasks.pose.model import read_models
from icelens.training.checkpoint import amend_checkpoint


@pytest.mark.parametrize(
    "change",
    [
        {"sharpness": -1.0},
        {"sharpness": "much"},
        {"confidence": {"scores": 3}},
        {"confidence": {"scores": {"median": [1.0]}}},
        {"confidence": 5},
        {"half_set": "first"},
        {"symmetry": "C0"},
        {"image": None},
    ],
)
def test_a_damaged_description_is_refused(change: dict, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    amend_checkpoint(model / "half_1" / "best.safetensors", change)
    with pytest.raises(CheckpointError, match=r"best\.safetensors: ") as caught:
        read_models(model)
    assert "\n" not in str(caught.value)
