"""Particle images: sheets of them, histograms of their columns, and where they are seen from."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.files.newest import newest_files
from icelens.apps.web.latent_answers import ColumnFacts
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import BINARY, FilePath, binary
from icelens.apps.web.workbench import Bench

router = APIRouter()

WORK = "icelens.apps.web.work.particles"
_RAW = binary("Little endian; what it is, in X-Shape and X-Facts")

Where = Annotated[str, Query(max_length=10_000, description="As in hetero select --where")]


class ParticlesDescription(BaseModel):
    """A particle file, its columns and what was assumed."""

    count: int
    num_particles: int
    box_sizes: list[int]
    pixel_sizes: list[float]
    has_poses: bool
    columns: list[ColumnFacts]
    notes: list[str]


class SheetQuery(BaseModel):
    """Which images, and how they are drawn; lengths in px, `low_pass` in Å, `contrast` in %."""

    file: Annotated[str, Field(min_length=1, max_length=4000)]
    first: Annotated[int, Field(ge=0, le=10**9)] = 0
    count: Annotated[int, Field(ge=1, le=400)] = 60
    side: Annotated[int, Field(ge=8, le=512)] = 96
    sort: Annotated[str, Field(max_length=200)] = ""
    descending: bool = False
    where: Annotated[str, Field(max_length=10_000)] = ""
    low_pass: Annotated[float, Field(ge=0, le=1e4, allow_inf_nan=False)] = 0.0
    flip_phases: bool = False
    invert: bool = False
    contrast: Annotated[float, Field(ge=0, le=45, allow_inf_nan=False)] = 1.0


@router.get("/view/particles", include_in_schema=False)
def sheet(request: Request, bench: Bench, file: str = "") -> HTMLResponse:
    """The page; without a file those of the project."""
    if not file:
        return page(request, "view_particles.html", file="", files=_files(bench))
    shown = bench.roots.shown(bench.roots.resolve(file))
    return page(request, "view_particles.html", file=shown, files=[])


@router.get("/api/particles", response_model=ParticlesDescription)
async def particles(bench: Bench, file: FilePath) -> Any:  # noqa: ANN401
    """What a particle file has: images, columns, optics."""
    return (await bench.worker.call(f"{WORK}:describe", file=_path(bench, file))).data


@router.get("/api/particles/columns", response_class=Response, responses=_RAW)
async def columns(
    bench: Bench,
    file: FilePath,
    names: Annotated[str, Query(min_length=1, max_length=2000, description="Split by commas")],
) -> Response:
    """Columns one after the other, float32 little endian; NaN is not known."""
    answer = await bench.worker.call(
        f"{WORK}:columns", file=_path(bench, file), names=names.split(",")
    )
    shape = [len(answer.data["names"]), answer.data["count"]]
    return Response(answer.blob, media_type=BINARY, headers={"X-Shape": json.dumps(shape)})


@router.get("/api/particles/montage", response_class=Response, responses=_RAW)
async def montage(bench: Bench, sheet: Annotated[SheetQuery, Query()]) -> Response:
    """Images as grey values, uint8, rows from the top; what they are in `X-Facts`."""
    answer = await bench.worker.call(
        f"{WORK}:montage",
        file=_path(bench, sheet.file),
        roots=[str(folder) for folder in bench.roots.folders],
        first=sheet.first,
        count=sheet.count,
        side=sheet.side,
        sort=sheet.sort,
        is_descending=sheet.descending,
        where=sheet.where,
        low_pass=sheet.low_pass,
        is_flipped=sheet.flip_phases,
        is_inverted=sheet.invert,
        contrast=sheet.contrast,
    )
    shape = [len(answer.data["rows"]), answer.data["side"], answer.data["side"]]
    headers = {"X-Shape": json.dumps(shape), "X-Facts": json.dumps(answer.data)}
    return Response(answer.blob, media_type=BINARY, headers=headers)


@router.get("/api/particles/views", response_class=Response, responses=_RAW)
async def views(bench: Bench, file: FilePath, where: Where = "") -> Response:
    """Images per direction relative to even coverage, on a Mollweide map, float32; NaN off it."""
    answer = await bench.worker.call(f"{WORK}:views", file=_path(bench, file), where=where)
    headers = {"X-Shape": json.dumps(answer.data["shape"]), "X-Facts": json.dumps(answer.data)}
    return Response(answer.blob, media_type=BINARY, headers=headers)


def _path(bench: Bench, file: str) -> str:
    return str(bench.roots.resolve(file))


def _files(bench: Bench) -> list[str]:
    """Particle files of the project by name, the newest first."""
    patterns = [depth + name for depth in ("", "*/", "*/*/") for name in ("*.star", "*.cs")]
    found = newest_files(bench.project.folder, patterns)
    fitting = [path for path in found if not path.name.startswith(("tomograms", "optimisation"))]
    return [bench.roots.shown(path) for path in fitting]
