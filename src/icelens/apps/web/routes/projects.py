"""Open another project, or make one, below the folders the workbench may show."""

import shlex
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.home_view.recent_projects import recent_projects, remember_project
from icelens.apps.web.pages import page
from icelens.apps.web.workbench import Bench
from icelens.core.errors import InputFileError

router = APIRouter(tags=["project"])


class Folder(BaseModel):
    """A folder, absolute or as seen from the project that is open."""

    model_config = ConfigDict(extra="forbid")
    folder: Annotated[str, Field(min_length=1, max_length=4096)]


class ProjectAnswer(BaseModel):
    """The project that is open."""

    name: str
    folder: str
    identity: str
    is_read_only: bool
    roots: list[str]


@router.get("/projects", include_in_schema=False)
def projects(request: Request, bench: Bench) -> HTMLResponse:
    """Projects opened lately, and a field for another."""
    here = bench.project.folder
    recent = [
        (each, bench.roots.contains(each), f"icelens serve {shlex.quote(str(each))}")
        for each in recent_projects()
        if each != here
    ]
    return page(request, "projects.html", recent=recent, roots=bench.roots.folders)


@router.get("/api/project")
def project(bench: Bench) -> ProjectAnswer:
    """The project that is open."""
    return _answer(bench)


@router.post("/api/project")
def open_project(bench: Bench, wanted: Folder) -> ProjectAnswer:
    """Open the project in a folder; a folder that is none becomes one."""
    folder = bench.roots.resolve(wanted.folder)
    if folder.exists() and not folder.is_dir():
        raise InputFileError(f"{wanted.folder}: is a file; give a folder")
    earlier = bench.project.folder
    # the way back stays open: what could be seen before can be seen still
    bench.others = tuple(dict.fromkeys((*bench.others, *_outside(folder, earlier))))
    bench.open(folder)
    for each in (earlier, bench.project.folder):
        remember_project(each)
    return _answer(bench)


def _outside(folder: Path, earlier: Path) -> tuple[Path, ...]:
    return () if earlier.is_relative_to(folder) else (earlier,)


def _answer(bench: Bench) -> ProjectAnswer:
    return ProjectAnswer(
        name=bench.project.name,
        folder=str(bench.project.folder),
        identity=bench.project.identity,
        is_read_only=bench.is_read_only,
        roots=[str(root) for root in bench.roots.folders],
    )
