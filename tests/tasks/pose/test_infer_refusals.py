"""What an inference refuses before anything is computed, and maps it does not make of nothing."""

from pathlib import Path

import numpy as np
import pytest
from watched_folder import BOX, PIXEL, blob, write_incoming, write_model

from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.fourier.insertion import SliceSums
from icelens.core.io.volumes import write_volume
from icelens.jobs.run import Run
from icelens.tasks.pose.infer import infer
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.maps import write_maps

HALVES = [1, 2] * 3


def config_in(folder: Path, star: Path, **settings: object) -> InferConfig:
    usual: dict[str, object] = {"device": "cpu", "threads": 1}
    model = write_model(folder / "model")
    return InferConfig(model=model, particles=(star,), output=star.parent, **(usual | settings))


def test_particles_in_the_output_are_not_replaced(tmp_path: Path) -> None:
    star = write_incoming(tmp_path / "in" / "particles.star", rlnRandomSubset=HALVES)
    before = star.read_bytes()
    with pytest.raises(IcelensError, match="would be written over itself"):
        infer(config_in(tmp_path, star), Run(star.parent))
    assert star.read_bytes() == before


def test_a_map_in_the_output_is_not_replaced(tmp_path: Path) -> None:
    star = write_incoming(tmp_path / "in" / "new.star", rlnRandomSubset=HALVES)
    given = tmp_path / "in" / "map.mrc"
    write_volume(given, Volume(blob().numpy(), PIXEL))
    with pytest.raises(IcelensError, match=r"map\.mrc: would be written over itself"):
        infer(config_in(tmp_path, star, map=given), Run(star.parent))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((BOX,) * 3), "every voxel is 0"),
        (np.full((BOX,) * 3, 1e30) * blob().numpy(), "expected a density below"),
        (np.eye(4)[None].repeat(4, axis=0), "4 voxels on a side"),
        (blob().numpy()[:20], "expected a cube"),
    ],
)
def test_a_map_that_is_none_is_refused_before_images_are_looked_at(
    values: np.ndarray, words: str, tmp_path: Path
) -> None:
    star = write_incoming(tmp_path / "new.star", rlnRandomSubset=HALVES)
    write_volume(tmp_path / "other.mrc", Volume(values.astype(np.float32), PIXEL))
    events: list[Event] = []
    config = config_in(tmp_path, star, map=tmp_path / "other.mrc")
    with pytest.raises(IcelensError, match=words):
        infer(config, Run(tmp_path / "out", events.append))
    assert not (tmp_path / "out").exists()


def test_no_map_is_made_of_sums_of_nothing(tmp_path: Path) -> None:
    events: list[Event] = []
    sums = {1: SliceSums(8), 2: SliceSums(8)}
    assert write_maps(tmp_path, sums, "C1", 3.0, events.append) is None
    assert [event.text for event in events if isinstance(event, Message)] == [
        "no images to use: no map is reconstructed"
    ]
    assert not list(tmp_path.iterdir())
