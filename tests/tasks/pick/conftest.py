"""A tiny network trained once on blobs, for the tests that need one that finds something."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from blob_project import TINY, blob_project

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


@pytest.fixture
def own_project(trained: TrainedBlobs, tmp_path: Path) -> Path:
    """The same project with an overlay of its own to write to."""
    content = json.loads(trained.project.read_text())
    content["static_root"] = content["overlay_root"]
    content["overlay_root"] = f"local://{tmp_path / 'overlay'}"
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content))
    return path
