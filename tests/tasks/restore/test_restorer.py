"""A checkpoint made ready: physics as in training, unless told what differs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from toy_tomograms import COMPUTE, DESCRIPTION, write_checkpoint

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import CheckpointError
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.tasks.restore.network import build_network
from icelens.tasks.restore.restorer import (
    check_pixel_size,
    default_plan,
    handling_of,
    load_restorer,
    prepare_network,
    turns_that_keep,
)

ROW = TomogramRow(1, 10.0, defocus=30000.0)


def load(folder: Path, description: dict[str, Any], **changes: Any) -> Any:
    path = write_checkpoint(folder, **description)
    return load_restorer(path, COMPUTE, plan=None, **changes)[0]


def test_settings_of_training_hold_unless_told_otherwise(tmp_path: Path) -> None:
    trained = {"contrast": "light", "input_column": "full", "ctf_mode": "network"}
    found = load(tmp_path, {**trained, "method": "single-map"})
    assert (found.reading.contrast, found.input_column) == ("light", "full")
    assert found.handling.mode == "network"
    changed = load(tmp_path, trained, contrast="dark", input_column="denoised", phase_flipped=True)
    assert (changed.reading.contrast, changed.input_column) == ("dark", "denoised")
    assert changed.handling.phase_flipped
    assert not handling_of(DESCRIPTION, phase_flipped=None).phase_flipped


@pytest.mark.parametrize(
    ("method", "ctf_mode", "is_filtered"),
    [
        ("denoise", "none", False),
        ("denoise", "network", True),
        ("even-odd", "none", True),
        ("single-map", "network", True),
    ],
)
def test_tiles_are_filtered_as_in_training(
    tmp_path: Path, method: str, ctf_mode: str, *, is_filtered: bool
) -> None:
    restorer = load(tmp_path, {"method": method, "ctf_mode": ctf_mode})
    tile_filter = restorer.tile_filter(ROW)
    assert (tile_filter is not None) == is_filtered
    if tile_filter is not None:
        values = set(tile_filter((16, 16, 16)).unique().tolist())
        assert (0.0 in values) == (method != "denoise")  # only the wedge holds zeros
        assert (-1.0 in values) == (ctf_mode == "network")


def test_network_for_prediction_computes_the_same_and_leaves_the_original() -> None:
    network = build_network("unet-small").eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tiles = torch.randn(1, 1, 16, 16, 16)
    ready = prepare_network(network, COMPUTE)
    with torch.no_grad():
        # folding changes the order of float32 operations
        torch.testing.assert_close(ready(tiles), network(tiles), atol=1e-4, rtol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("tilt_max", "copies", "num_turns"), [(60.0, 4, 4), (60.0, 1, 1), (40.0, 4, 2), (58.0, 4, 4)]
)
def test_only_turns_that_keep_the_wedge_are_averaged(
    tilt_max: float, copies: int, num_turns: int
) -> None:
    turns = turns_that_keep(TiltScheme(-60.0, tilt_max), copies)
    assert len(turns) == num_turns
    assert turns[0] == ()


def test_other_pixel_sizes_are_refused_beyond_the_tolerance() -> None:
    check_pixel_size([ROW], {"pixel_size": 10.4}, Path("a"), 0.05)
    check_pixel_size([ROW], {"pixel_size": None}, Path("a"), 0.05)
    with pytest.raises(CheckpointError, match=r"trained at 11 Å/px.*icelens tools resize"):
        check_pixel_size([ROW], {"pixel_size": 11.0}, Path("a"), 0.05)


@pytest.mark.parametrize("shape", [(1, 1, 1), (36, 40, 300), (200, 960, 928)])
@pytest.mark.parametrize("network", ["unet-small", "unet-medium"])
def test_default_tiles_fit_every_volume_and_network(
    shape: tuple[int, int, int], network: str
) -> None:
    tiling = default_plan(16, COMPUTE, network).tiling(shape)
    assert all(side % 16 == 0 for side in tiling.box)
    assert len(tiling) >= 1
