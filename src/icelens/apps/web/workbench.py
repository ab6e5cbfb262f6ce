"""What every answer of the server needs: the project, its queue, the roots and the workers."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from icelens.apps.web.live import Live
from icelens.apps.web.roots import Roots
from icelens.apps.web.worker import Workers
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue


@dataclass
class Workbench:
    """The state of one server; another project may be opened while it runs."""

    project: Project
    others: tuple[Path, ...] = ()
    """Folders besides the project whose files may be seen."""
    is_read_only: bool = False
    worker: Workers = field(default_factory=Workers)
    live: Live = field(default_factory=Live)

    def __post_init__(self) -> None:
        """Stand in the project: paths in settings are meant from there."""
        os.chdir(self.project.folder)

    @property
    def queue(self) -> Queue:
        """The jobs of the project."""
        return Queue(self.project)

    @property
    def roots(self) -> Roots:
        """Where files may be seen."""
        return Roots.of(self.project.folder, *self.others)

    def open(self, folder: Path) -> None:
        """Go on with another project; it is made if it is none."""
        self.project = create_project(folder)
        os.chdir(self.project.folder)
        self.live.tell({"project": self.project.name})


def workbench_of(connection: HTTPConnection) -> Workbench:
    """The workbench that answers a request."""
    bench: Workbench = connection.app.state.workbench
    return bench


Bench = Annotated[Workbench, Depends(workbench_of)]


def open_workbench(
    folder: Path, others: Sequence[Path] = (), *, is_read_only: bool = False
) -> Workbench:
    """A workbench over a folder, which becomes a project if it is none."""
    return Workbench(create_project(folder), tuple(others), is_read_only)
