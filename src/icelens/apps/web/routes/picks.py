"""Picks over slices: the page, what projects and files hold, and edited picks saved as new ones."""

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.pages import page
from icelens.apps.web.request_values import BINARY, FilePath, binary
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import InputFileError
from icelens.core.io.copick.config import read_project_file

router = APIRouter()

MOST_EDITS = 100_000
Name = Annotated[str, Query(min_length=1, max_length=256)]
_Finite = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
_Row = Annotated[int, Field(ge=0, lt=1_000_000)]
_Word = Annotated[str, Field(min_length=1, max_length=64)]
_WORK = "icelens.apps.web.work.picks"
_EDITS = "icelens.apps.web.work.pick_edits"
_ROWS = binary("float32 rows")


class PickObject(BaseModel):
    """One kind of particle."""

    name: str
    radius: float | None
    """In Å."""


class ProjectFacts(BaseModel):
    """What a copick project or a folder of tomograms holds."""

    name: str
    objects: list[PickObject]
    runs: list[str]


class RunTomogram(BaseModel):
    """One reconstruction of a run."""

    name: str
    pixel_size: float
    file: str


class RunSource(BaseModel):
    """Who picked which objects, in which session."""

    source: str
    objects: list[str]


class RunFacts(BaseModel):
    """What there is of one run."""

    run: str
    tomograms: list[RunTomogram]
    sources: list[RunSource]


class EditList(BaseModel):
    """Changes to picks; positions are z, y, x in Å from the centre of the first voxel."""

    version: str = Field(max_length=64)
    moved: list[tuple[_Row, _Finite, _Finite, _Finite]] = Field(default=[], max_length=MOST_EDITS)
    deleted: list[_Row] = Field(default=[], max_length=MOST_EDITS)
    added: list[tuple[_Word, _Finite, _Finite, _Finite]] = Field(default=[], max_length=MOST_EDITS)
    least_scores: dict[_Word, _Finite] = Field(default={}, max_length=1000)


class SessionEdits(BaseModel):
    """Edited picks of a project, and the session to save them as."""

    project: str = Field(min_length=1, max_length=4096)
    run: str = Field(min_length=1, max_length=256)
    source: str = Field(default="", max_length=256)
    volume: str = Field(min_length=1, max_length=4096)
    user: str = Field(min_length=1, max_length=64)
    session: str = Field(min_length=1, max_length=64)
    edits: EditList


class FileEdits(BaseModel):
    """Edited picks of a file."""

    picks: str = Field(min_length=1, max_length=4096)
    volume: str = Field(min_length=1, max_length=4096)
    tomogram: str | None = Field(default=None, max_length=256)
    edits: EditList


class Saved(BaseModel):
    """What was written: a session of a project, or a file."""

    source: str
    file: str
    counts: dict[str, int]


@router.get("/view/picks", include_in_schema=False)
def show(request: Request) -> HTMLResponse:
    """The page; it reads what to show from its own address."""
    return page(request, "view_picks.html")


@router.get("/api/picks/project")
async def project_facts(bench: Bench, project: FilePath) -> ProjectFacts:
    """Objects and runs of a copick project (its JSON) or a folder of tomograms."""
    answer = await bench.worker.call(
        f"{_WORK}:list_project", path=await run_in_threadpool(_project, bench, project)
    )
    return ProjectFacts(**answer.data)


@router.get("/api/picks/run")
async def run_facts(bench: Bench, project: FilePath, run: Name) -> RunFacts:
    """Tomograms and picks of a run."""
    answer = await bench.worker.call(
        f"{_WORK}:list_run", path=await run_in_threadpool(_project, bench, project), run=run
    )
    tomograms = [
        each | {"file": bench.roots.shown(Path(each["file"]))} for each in answer.data["tomograms"]
    ]
    return RunFacts(**answer.data | {"tomograms": tomograms})


@router.get("/api/picks/session", response_class=Response, responses=_ROWS)
async def session(
    bench: Bench,
    project: FilePath,
    run: Name,
    source: Annotated[str, Query(max_length=256)] = "",
) -> Response:
    """Picks of one USER,SESSION (none if empty): z, y, x in Å, score and class number, float32.

    `X-Shape` is JSON with the classes, and the version that edits must name.
    """
    answer = await bench.worker.call(
        f"{_WORK}:read_session",
        path=await run_in_threadpool(_project, bench, project),
        run=run,
        source=source,
    )
    return _table(answer.data, answer.blob)


@router.get("/api/picks/file", response_class=Response, responses=_ROWS)
async def file(
    bench: Bench,
    picks: FilePath,
    volume: FilePath,
    tomogram: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """Picks of a file in one tomogram, as of a session."""
    answer = await bench.worker.call(
        f"{_WORK}:read_file",
        path=str(bench.roots.resolve(picks)),
        volume=str(bench.roots.resolve(volume)),
        tomogram=tomogram or None,
    )
    return _table(answer.data, answer.blob)


@router.post("/api/picks/sessions")
async def save_session(bench: Bench, body: SessionEdits) -> Saved:
    """Save edited picks of a project as a new session; an existing one is never changed."""
    answer = await bench.worker.call(
        f"{_EDITS}:save_session",
        path=await run_in_threadpool(_project, bench, body.project),
        run=body.run,
        source=body.source,
        volume=str(bench.roots.resolve(body.volume)),
        user=body.user,
        session=body.session,
        edits=body.edits.model_dump(),
    )
    return Saved(**answer.data)


@router.post("/api/picks/files")
async def save_file(bench: Bench, body: FileEdits) -> Saved:
    """Save edited picks of a file as a new file beside it."""
    answer = await bench.worker.call(
        f"{_EDITS}:save_file",
        path=str(bench.roots.resolve(body.picks)),
        volume=str(bench.roots.resolve(body.volume)),
        tomogram=body.tomogram or None,
        edits=body.edits.model_dump(),
    )
    return Saved(**answer.data | {"file": bench.roots.shown(Path(answer.data["file"]))})


def _project(bench: Workbench, text: str) -> str:
    """The path of a project all of which lies where the browser may look.

    Raises:
        InputFileError: If some of it is not on this machine.
        OutsideRootsError: If it, or a folder that it names, lies elsewhere.
    """
    path = bench.roots.resolve(text)
    if not path.is_dir():
        file = read_project_file(path)
        if file.is_remote or file.overlay_root is None:
            raise InputFileError(
                f"{text}: this project lies on another machine; copy it to a folder here to see it"
            )
        for folder in (file.static_root, file.overlay_root):
            if folder is not None:
                bench.roots.resolve(str(folder.resolve()))
    return str(path)


def _table(data: dict[str, Any], blob: bytes) -> Response:
    # JSON with escapes: headers hold latin letters only
    headers = {"X-Shape": json.dumps(data)}
    return Response(blob, media_type=BINARY, headers=headers)
