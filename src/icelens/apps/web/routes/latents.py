"""The latent explorer: particles of a run of hetero in the plane, selections, volumes and paths."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.files.newest import newest_files
from icelens.apps.web.latent_answers import (
    PathFacts,
    PathToSave,
    PointFacts,
    RunDescription,
    SavedFile,
    SavedSelection,
    SelectionToSave,
    VolumeToSave,
)
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import BINARY, binary
from icelens.apps.web.workbench import Bench
from icelens.core.errors import MetadataError
from icelens.core.io.plain_file import open_plain

router = APIRouter()

WORK = "icelens.apps.web.work.latents"
RUN_NAME = "hetero.json"
_MOST_BYTES = 2**20
_ANCHOR = re.compile(
    r"(\d{1,12})(?:@([a-z]+_\d{1,4}:[^,:@]{1,40}(?:,[a-z]+_\d{1,4}:[^,:@]{1,40})*))?"
)

Run = Annotated[str, Query(min_length=1, max_length=4000, description="Folder of a run of hetero")]
Table = Annotated[
    str, Query(max_length=4000, description="Further CSV whose lines name particles by row")
]
Anchor = Annotated[
    str, Query(max_length=400, description="Particle, and coordinates: 12@pc_1:3.5,pc_2:-1")
]
_RAW = binary("Little endian; what it is, in X-Shape and X-Facts")


@router.get("/view/latents", include_in_schema=False)
def explorer(request: Request, bench: Bench, run: str = "", table: str = "") -> HTMLResponse:
    """The page; without a run those of the project."""
    if not run:
        return page(request, "view_latents.html", run="", table="", runs=_runs(bench))
    shown = bench.roots.shown(bench.roots.resolve(run))
    if table:
        bench.roots.resolve(table)
    return page(request, "view_latents.html", run=shown, table=table, runs=[])


@router.get("/api/latents", response_model=RunDescription)
async def latents(bench: Bench, run: Run, table: Table = "") -> Any:  # noqa: ANN401
    """What a run has: particles, columns, and what is missing."""
    return (
        await bench.worker.call(
            f"{WORK}:describe", **await run_in_threadpool(_files, bench, run, table)
        )
    ).data


@router.get("/api/latents/columns", response_class=Response, responses=_RAW)
async def columns(
    bench: Bench,
    run: Run,
    names: Annotated[str, Query(min_length=1, max_length=2000, description="Split by commas")],
    table: Table = "",
) -> Response:
    """Columns one after the other, float32 little endian; NaN is not known."""
    answer = await bench.worker.call(
        f"{WORK}:columns",
        names=names.split(","),
        **await run_in_threadpool(_files, bench, run, table),
    )
    shape = [len(answer.data["names"]), answer.data["count"]]
    return Response(answer.blob, media_type=BINARY, headers={"X-Shape": json.dumps(shape)})


@router.get("/api/latents/where", response_class=Response, responses=_RAW)
async def where(
    bench: Bench,
    run: Run,
    where: Annotated[str, Query(min_length=1, max_length=10_000)],
    table: Table = "",
) -> Response:
    """Particles that an expression is true for, as bits, the first in the lowest bit."""
    answer = await bench.worker.call(
        f"{WORK}:chosen_where", where=where, **await run_in_threadpool(_files, bench, run, table)
    )
    return Response(answer.blob, media_type=BINARY, headers={"X-Facts": json.dumps(answer.data)})


@router.get("/api/latents/point", response_model=PointFacts)
async def point(bench: Bench, run: Run, anchor: Anchor) -> Any:  # noqa: ANN401
    """Latent of a clicked point, and what stands behind it."""
    return (
        await bench.worker.call(
            f"{WORK}:point", **await run_in_threadpool(_folder, bench, run), **_anchor(anchor)
        )
    ).data


@router.get("/api/latents/path", response_model=PathFacts)
async def path(
    bench: Bench,
    run: Run,
    way: Literal["direct", "graph", "ridge", "pc", "clusters"],
    anchor: Annotated[list[Anchor], Query(max_length=100)] = [],  # noqa: B006 - read only
    component: Annotated[int, Query(ge=1, le=1000)] = 1,
    count: Annotated[int, Query(ge=2, le=200)] = 10,
) -> Any:  # noqa: ANN401
    """Points along a path through latents, each with its support."""
    answer = await bench.worker.call(
        f"{WORK}:path",
        **await run_in_threadpool(_folder, bench, run),
        way=way,
        anchors=[_anchor(each) for each in anchor],
        component=component,
        count=count,
    )
    return answer.data


@router.get("/api/latents/decode", response_class=Response, responses=_RAW)
async def decode(
    bench: Bench,
    run: Run,
    latent: Annotated[str, Query(min_length=1, max_length=20_000, description="Split by commas")],
    box_size: Annotated[int, Query(ge=0, le=1024)] = 0,
    level: Annotated[float | None, Query(ge=-100, le=1000, allow_inf_nan=False)] = None,
) -> Response:
    """Surface of the volume at a latent, three slices, and its support in `X-Facts`."""
    answer = await bench.worker.call(
        f"{WORK}:decode",
        **await run_in_threadpool(_folder, bench, run),
        latent=_numbers(latent),
        box_size=box_size,
        level=level,
    )
    return Response(answer.blob, media_type=BINARY, headers={"X-Facts": json.dumps(answer.data)})


@router.post("/api/latents/selection", response_model=SavedSelection)
async def save_selection(bench: Bench, given: SelectionToSave) -> Any:  # noqa: ANN401
    """Write selected particles as STAR and CSV; nothing is written over."""
    answer = await bench.worker.call(
        f"{WORK}:save_selection",
        **await run_in_threadpool(_folder, bench, given.run),
        bits=given.bits,
        name=given.name,
        project=_project(bench),
    )
    return answer.data | {key: _shown(bench, answer.data[key]) for key in ("file", "index")}


@router.post("/api/latents/volume", response_model=SavedFile)
async def save_volume(bench: Bench, given: VolumeToSave) -> Any:  # noqa: ANN401
    """Write the volume at a latent in full, as MRC."""
    answer = await bench.worker.call(
        f"{WORK}:save_volume",
        **await run_in_threadpool(_folder, bench, given.run),
        latent=given.latent,
        name=given.name,
        project=_project(bench),
    )
    shown = _shown(bench, answer.data["file"])
    return {"file": shown, "command": answer.data["command"]}


@router.post("/api/latents/path", response_model=SavedFile)
async def save_path(bench: Bench, given: PathToSave) -> Any:  # noqa: ANN401
    """Write the latents of a path as `hetero volumes --latent` reads them."""
    answer = await bench.worker.call(
        f"{WORK}:save_path",
        **await run_in_threadpool(_folder, bench, given.run),
        latents=given.latents,
        name=given.name,
        project=_project(bench),
    )
    return answer.data | {"file": _shown(bench, answer.data["file"])}


def _folder(bench: Bench, run: str) -> dict[str, str]:
    folder = bench.roots.resolve(run)
    _check_inside(bench, folder)
    return {"run": str(folder)}


def _check_inside(bench: Bench, folder: Path) -> None:
    """A run names files of its own: they must lie where the workbench may look, too.

    Raises:
        OutsideRootsError: If its particles do not.
    """
    try:
        with open_plain(folder / RUN_NAME) as stream:
            facts = json.loads(stream.read(_MOST_BYTES))
        named = [*facts["particles"], facts.get("stack_root"), facts.get("tomograms")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # who opens the run says what is wrong with it
    for path in named:
        if isinstance(path, str):
            bench.roots.resolve(str(folder / path))


def _files(bench: Bench, run: str, table: str) -> dict[str, Any]:
    return _folder(bench, run) | {"table": str(bench.roots.resolve(table)) if table else None}


def _project(bench: Bench) -> str:
    return str(bench.project.folder.resolve())


def _shown(bench: Bench, path: str) -> str:
    return bench.roots.shown(bench.roots.resolve(path))


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise MetadataError(f"latent: {text[:40]!r}, expected numbers split by commas") from error


def _anchor(text: str) -> dict[str, Any]:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise MetadataError(
            f"anchor: {text[:60]!r}, expected a particle and coordinates such as 12@pc_1:3.5"
        )
    pairs = [each.split(":") for each in (found[2] or "").split(",") if each]
    return {"particle": int(found[1]), "at": {name: _numbers(value)[0] for name, value in pairs}}


def _runs(bench: Bench) -> list[str]:
    """Folders of hetero runs in the project, the newest first."""
    patterns = [f"{depth}/{RUN_NAME}" for depth in ("*", "*/*", "*/*/*")]
    found = newest_files(bench.project.folder, patterns)
    return [bench.roots.shown(path.parent) for path in found]
