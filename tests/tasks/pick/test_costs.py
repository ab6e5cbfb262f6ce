"""What a run will cost is said before it starts, and never fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blob_project import PIXEL_SIZE, SHORT, SMALL, add_run, blob_project

from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import Project
from icelens.jobs.job import Estimate
from icelens.tasks.pick.costs import estimate_segment, estimate_train
from icelens.tasks.pick.train_settings import SegmentConfig, TrainConfig

VOXELS = int(np.prod(SMALL))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return blob_project(tmp_path / "p", 2, SMALL)


def training(project: Path, **changes: Any) -> Estimate:
    values = {**SHORT, "project": (project,), "output": project.parent / "run", **changes}
    return estimate_train(TrainConfig(**values))


def segmenting(project: Path, **changes: Any) -> Estimate:
    values = {"project": project, "model": (Path("m"),), "threads": 1, **changes}
    return estimate_segment(SegmentConfig(**values))


def test_time_of_training_grows_with_steps_crops_and_batches(project: Project) -> None:
    base = training(project.path)
    assert base.seconds > 0
    assert training(project.path, steps=4).seconds == pytest.approx(2 * base.seconds)
    assert training(project.path, batch_size=3).seconds == pytest.approx(3 * base.seconds)
    assert training(project.path, threads=2).seconds == pytest.approx(base.seconds / 2)
    assert training(project.path, network="dynunet").seconds > 2 * base.seconds
    assert "2 steps of 1 crop(s)" in base.notes[0]
    assert training(project.path, steps=None).seconds > 100 * base.seconds


def test_memory_of_training_holds_the_runs_that_are_read(project: Project) -> None:
    both = training(project.path).memory_bytes
    one = training(project.path, train_runs=("TS_1",)).memory_bytes
    assert both - one == 2 * VOXELS
    # runs that are not named for anything else are trained on
    assert training(project.path, validation_runs=("TS_1",)).memory_bytes == both
    many = {"train_runs": ("TS_1",), "validation_runs": ("p/TS_2",)}
    assert training(project.path, **many).memory_bytes == both


def test_each_type_is_a_view_to_be_held(project: Project) -> None:
    for run in ("TS_1", "TS_2"):
        project.write_tomogram(run, Volume(np.ones(SMALL, np.float32), PIXEL_SIZE), "denoised")
    one = training(project.path, tomogram_type=("wbp",)).memory_bytes
    both = training(project.path, tomogram_type=("wbp", "denoised")).memory_bytes
    assert both - one == 2 * 2 * VOXELS


def test_time_of_segmenting_grows_with_runs_views_and_models(project: Project) -> None:
    base = segmenting(project.path, views=1)
    assert base.seconds > 0
    assert base.disk_bytes == 2 * 2 * VOXELS
    assert segmenting(project.path, views=8).seconds == pytest.approx(8 * base.seconds)
    two = {"model": (Path("m"), Path("n")), "views": 1}
    assert segmenting(project.path, **two).seconds == pytest.approx(2 * base.seconds)
    assert segmenting(project.path, soup=True, **two).seconds == pytest.approx(base.seconds)
    add_run(project, "TS_3", 9, SMALL)
    assert segmenting(project.path, views=1).seconds == pytest.approx(1.5 * base.seconds)
    alone = segmenting(project.path, views=1, runs=("TS_3",))
    assert alone.seconds == pytest.approx(base.seconds / 2)


def test_projects_that_cannot_be_opened_are_left_to_the_job(tmp_path: Path) -> None:
    damaged = tmp_path / "project.json"
    damaged.write_text("{")
    for path in (damaged, tmp_path / "absent.json"):
        assert training(path).memory_bytes > 0
        assert segmenting(path) == Estimate()
