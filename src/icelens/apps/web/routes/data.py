"""The data of a project: tomograms and particles, the tomogram table edited in place."""

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.data_sets import DataSet, find_sets
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import FilePath
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import IcelensError

router = APIRouter()
PathText = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Column = Literal["pixel_size", "defocus", "tilt_min", "tilt_max", "num_subtomograms", "mask"]
_INSPECTION = "icelens.apps.web.work.inspection"

COLUMNS: dict[str, tuple[str, str, float, float]] = {
    "pixel_size": ("Pixel size", "Å", 0.01, 1000),
    "defocus": ("Defocus", "Å", -100_000, 300_000),
    "tilt_min": ("Tilt from", "°", -90, 90),
    "tilt_max": ("Tilt to", "°", -90, 90),
    "num_subtomograms": ("Boxes", "", 1, 1_000_000),
}
"""Columns of numbers that may be edited: title, unit, least and largest value."""


class CellError(IcelensError):
    """A value that a column cannot have."""


class SetsAnswer(BaseModel):
    """Data of the project."""

    sets: list[DataSet]


class TableAnswer(BaseModel):
    """The table of a list of tomograms."""

    count: int
    rows: list[dict[str, Any]]
    note: str
    read: str


class ParticlesAnswer(BaseModel):
    """Numbers of a particle file."""

    images: int
    particles: int
    stacks: int
    groups: list[dict[str, Any]]
    has_poses: bool
    halves: list[int]
    problems: list[str]
    stack: str


class Edit(BaseModel):
    """New values of one column, by rlnIndex; null empties a cell."""

    model_config = ConfigDict(extra="forbid")
    file: PathText
    column: Column
    values: dict[Annotated[str, StringConstraints(pattern=r"^-?\d{1,9}$")], PathText | None] = (
        Field(min_length=1, max_length=5000)
    )


@router.get("/data", include_in_schema=False)
def data(request: Request, bench: Bench) -> HTMLResponse:
    """Tomograms and particles of the project."""
    return page(request, "data.html", sets=find_sets(bench.queue, bench.roots), columns=COLUMNS)


@router.get("/api/data")
def sets(bench: Bench) -> SetsAnswer:
    """Lists of tomograms and of particles: results of jobs, and files in the top folders."""
    return SetsAnswer(sets=find_sets(bench.queue, bench.roots))


@router.get("/api/data/tomograms")
async def tomograms(bench: Bench, file: FilePath) -> TableAnswer:
    """A list of tomograms: cells, volumes, and problems with their fix."""
    answer = await bench.worker.call(f"{_INSPECTION}:tomograms", **_arguments(bench, file))
    return TableAnswer(**answer.data)


@router.patch("/api/data/tomograms")
async def edit(bench: Bench, body: Edit) -> TableAnswer:
    """Change cells of a list of tomograms; all or none, and other jobs' columns stay."""
    values = {index: _cell(bench, body.column, text) for index, text in body.values.items()}
    answer = await bench.worker.call(
        f"{_INSPECTION}:edit_tomograms",
        column=body.column,
        values=values,
        **_arguments(bench, body.file),
    )
    return TableAnswer(**answer.data)


@router.get("/api/data/particles")
async def particles(bench: Bench, file: FilePath) -> ParticlesAnswer:
    """Numbers of a particle file: images, optics groups, poses, half sets, problems."""
    arguments = _arguments(bench, file)
    arguments.pop("roots")
    answer = await bench.worker.call(f"{_INSPECTION}:particles", **arguments)
    return ParticlesAnswer(**answer.data)


def _arguments(bench: Workbench, file: str) -> dict[str, Any]:
    return {
        "project": str(bench.project.folder),
        "file": str(bench.roots.resolve(file)),
        "roots": [str(folder) for folder in bench.roots.folders],
    }


def _cell(bench: Workbench, column: str, text: str | None) -> float | int | str | None:
    """The value of a cell, or why it cannot be one."""
    if column == "mask":
        return _mask(bench, text)
    title, unit, least, largest = COLUMNS[column]
    if text is None or text.strip().lower() in ("", "none"):
        if column == "num_subtomograms":
            return None
        raise CellError(f"{title}: is empty; expected a number")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    shown = f"{least:,} to {largest:,} {unit}".strip()
    if not least <= value <= largest:
        raise CellError(f"{title}: found {text:.40}, expected a number from {shown}")
    if column != "num_subtomograms":
        return value
    if value != int(value):
        raise CellError(f"{title}: found {text:.40}, expected a whole number")
    return int(value)


def _mask(bench: Workbench, text: str | None) -> str | None:
    if text is None or text.strip().lower() in ("", "none"):
        return None
    path = bench.roots.resolve(text.strip())
    if not path.is_file():
        raise CellError(f"Mask: {text:.200} does not exist; choose a file, or empty the cell")
    return bench.roots.shown(bench.project.folder / text.strip())
