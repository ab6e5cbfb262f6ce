"""Half maps and their curve are written, or it is said why not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import blobs

from icelens.core.events import Event, Message, Saved
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.geometry.rotations import random_rotations
from icelens.core.io.volumes import open_volume
from icelens.tasks.pose.maps import write_maps

BOX = 24


def sums(seed: int, count: int = 60) -> SliceSums:
    total = SliceSums(BOX)
    if count:
        rotation = random_rotations(count, torch.Generator().manual_seed(seed))
        total.insert(central_slices(slice_source(blobs(BOX)), rotation), None, rotation)
    return total


def test_the_maps_are_those_of_the_images(tmp_path: Path) -> None:
    told: list[Event] = []
    maps = write_maps(tmp_path, {1: sums(1), 2: sums(2)}, "C1", 4.0, told.append)
    assert maps is not None
    for name in ("half_1", "half_2", "map"):
        found = open_volume(tmp_path / f"{name}.mrc")
        assert found.pixel_size == pytest.approx(4.0)
        pair = np.stack([np.array(found.array).ravel(), blobs(BOX).numpy().ravel()])
        assert np.corrcoef(pair)[0, 1] > 0.95
    saved = {event.path.name for event in told if isinstance(event, Saved)}
    assert saved == {"half_1.mrc", "half_2.mrc", "map.mrc", "fsc.csv"}
    assert any("agree to" in event.text for event in told if isinstance(event, Message))


@pytest.mark.parametrize("present", [{}, {1: 60}, {1: 60, 2: 0}, {1: 0, 2: 0}])
def test_without_images_of_both_halves_there_is_no_map(
    present: dict[int, int], tmp_path: Path
) -> None:
    told: list[Event] = []
    given = {half: sums(half, count) for half, count in present.items()}
    assert write_maps(tmp_path, given, "C1", 4.0, told.append) is None
    (message,) = [event for event in told if isinstance(event, Message)]
    assert message.level == "warning"
    assert not list(tmp_path.iterdir())
