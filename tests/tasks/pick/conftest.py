"""A tiny network trained once on blobs, for the tests that need one that finds something."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from blob_project import SMALL, TINY, blob_project

from icelens.jobs.run import run_job
from icelens.tasks.pick.train_jobs import train
from icelens.tasks.pick.train_settings import TrainConfig


@dataclass(frozen=True)
class TrainedBlobs:
    """A project of four runs, and a model trained on two, chosen by TS_3 and tested on TS_4."""

    project: Path
    model: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedBlobs:
    """Only to be read: what is written goes into `project_copy`."""
    folder = tmp_path_factory.mktemp("trained")
    project = blob_project(folder / "p", 4)
    config = TrainConfig(
        project=(project.path,),
        output=folder / "model",
        validation_runs=("TS_3",),
        test_runs=("TS_4",),
        **TINY,
    )
    run_job(train, config)
    return TrainedBlobs(project.path, folder / "model")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small runs; only to be read: what is written goes into `own_small`."""
    return blob_project(tmp_path_factory.mktemp("small") / "p", 3, SMALL).path


@pytest.fixture
def own_project(trained: TrainedBlobs, tmp_path: Path) -> Path:
    """The project of `trained` with an overlay of its own to write to."""
    return with_own_overlay(trained.project, tmp_path)


@pytest.fixture
def own_small(small: Path, tmp_path: Path) -> Path:
    """The small runs with an overlay of their own to write to."""
    return with_own_overlay(small, tmp_path)


def with_own_overlay(project: Path, folder: Path) -> Path:
    """Another configuration that reads the same files and writes elsewhere."""
    content = json.loads(project.read_text())
    content["static_root"] = content["overlay_root"]
    content["overlay_root"] = f"local://{folder / 'overlay'}"
    path = folder / "own.json"
    path.write_text(json.dumps(content))
    return path
