"""Picks gathered over a project, and the grids they lie on."""

from pathlib import Path

import numpy as np
import pytest
from exchange_project import PIXEL_SIZE, SHAPE, SOURCE, make_project, write

from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.io.copick.project import Project, open_project
from icelens.tasks.pick.picked import (
    Frame,
    collect_picks,
    common_pixel_size,
    frame_of,
    joined,
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(make_project(tmp_path))


def test_picks_come_run_after_run_with_names(project: Project) -> None:
    picks = collect_picks(project, SOURCE)
    assert picks.tomogram_id == ("TS_1",) * 5 + ("TS_2",) * 4
    assert picks.species.count("ribosome") == 8
    chosen = collect_picks(project, SOURCE, objects=("ribosome",), runs=("TS_2",), min_score=0.4)
    assert chosen.score.tolist() == [0.4, 0.6, 0.8]
    none = Picks(np.empty((0, 3)), tomogram_id=())
    assert len(joined([none, chosen])) == 3


def test_an_empty_list_of_picks_is_none_missing(project: Project) -> None:
    assert len(collect_picks(project, SOURCE, min_score=2.0)) == 0
    with pytest.raises(MetadataError, match="there are picks by icelens,1"):
        collect_picks(project, ("icelens", "2"))


def test_reconstructions_on_one_grid_are_one(project: Project) -> None:
    assert frame_of(project, "TS_1", None, None) == Frame(SHAPE, PIXEL_SIZE)
    project.write_tomogram("TS_1", Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE), "denoised")
    assert frame_of(project, "TS_1", None, None).shape == SHAPE
    half = Volume(np.zeros((20, 28, 32), np.float32), 2 * PIXEL_SIZE)
    project.write_tomogram("TS_1", half, "denoised")
    with pytest.raises(MetadataError, match="more than one tomogram"):
        frame_of(project, "TS_1", None, None)
    assert frame_of(project, "TS_1", 20.0, None).extent_zyx == (400.0, 560.0, 640.0)
    assert frame_of(project, "TS_1", None, "wbp").shape == SHAPE


def test_one_table_has_one_sampling() -> None:
    frames = [Frame(SHAPE, 10.0), Frame(SHAPE, 10.0005)]
    assert common_pixel_size("p", frames) == 10.0
    with pytest.raises(MetadataError, match="p: tomograms of 10, 12 Å cannot share a table"):
        common_pixel_size("p", [Frame(SHAPE, 10.0), Frame(SHAPE, 12.0)])


def test_a_frame_reaches_half_a_voxel_beyond_the_outer_centres() -> None:
    frame = Frame(SHAPE, 10.0)
    picks = Picks(np.array([[-5.0, 0.0, 0.0], [-5.1, 0.0, 0.0], [395.0, 0.0, 635.1]]))
    assert frame.holds(picks).tolist() == [True, False, False]
    assert str(frame) == "400 x 560 x 640 Å"


def test_objects_are_those_of_the_project(project: Project) -> None:
    stray = Picks(np.zeros((1, 3)), species=("virus",), tomogram_id=("TS_1",))
    write(project, "TS_1", stray)
    with pytest.raises(MetadataError, match="no object virus"):
        collect_picks(project, SOURCE, objects=("virus",))
