"""A project, and its queue without a process that starts jobs."""

from pathlib import Path

import pytest

from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue

MOLECULES = {"shape": [16, 16, 16], "pixel_size": 20.0}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create_project(tmp_path / "a projéct")


@pytest.fixture
def queue(project: Project) -> Queue:
    return Queue(project)
