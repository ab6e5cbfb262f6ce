"""Curves: metrics of a job as they grow, tables of correlations, Guinier plots of maps."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.curve_tables import CurveTable, read_curves
from icelens.apps.web.job_files import curve_files, job_folder
from icelens.apps.web.metrics import appended_metrics, parts_of, sampled_metric
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import FilePath, JobNumber
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import InputFileError, MetadataError

router = APIRouter(tags=["curves"])

MOST_FILES = 8
_TABLES = (".csv",)
_STARS = (".star",)
_LATEST_JOBS = 200

Resolution = Annotated[float, Query(gt=0, le=10000, description="In Å.")]


class Points(BaseModel):
    """One curve over steps; null where a value was not finite."""

    step: list[int]
    value: list[float | None]


class MetricsAnswer(BaseModel):
    """What was appended since the last question."""

    part: str
    parts: list[str]
    series: dict[str, Points]
    offset: int
    file_id: str
    is_reset: bool
    is_more: bool


class Sparkline(BaseModel):
    """A curve as small as a word."""

    name: str
    values: list[float | None]


class CurvesAnswer(BaseModel):
    """All that one file shows as curves."""

    file: str
    tables: list[CurveTable]
    b_factor: float | None = None


class Reading(BaseModel):
    """Where a correlation first falls below a threshold; a limit if it never does."""

    name: str
    threshold: float
    resolution: float | None
    is_limit: bool


class Readings(BaseModel):
    """Resolutions of all correlations of a file."""

    file: str
    readings: list[Reading]


class CurveFile(BaseModel):
    """A table of curves in the project."""

    file: str
    name: str
    number: int
    title: str


class CurveFiles(BaseModel):
    """Tables of curves that jobs of the project wrote, the latest first."""

    files: list[CurveFile]


@router.get("/api/jobs/{number}/metrics")
def metrics(
    bench: Bench,
    number: JobNumber,
    part: Annotated[str, Query(max_length=400)] = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    file_id: Annotated[str, Query(max_length=64)] = "",
) -> MetricsAnswer:
    """Metrics of a job, or of a part of it, written since an offset."""
    folder = job_folder(bench.roots, bench.queue.get(number))
    parts = parts_of(folder)
    if part and part not in parts:
        raise MetadataError(f"J{number}: no part called {part!r}; ask for one of its parts")
    found = appended_metrics(folder / part, after=after, file_id=file_id)
    series = {
        name: Points(step=each.steps, value=each.values) for name, each in found.series.items()
    }
    return MetricsAnswer(
        part=part,
        parts=parts,
        series=series,
        offset=found.offset,
        file_id=found.file_id,
        is_reset=found.is_reset,
        is_more=found.is_more,
    )


@router.get("/api/jobs/{number}/sparkline")
def sparkline(bench: Bench, number: JobNumber) -> Sparkline:
    """The curve that tells most of a job, in some sixty values."""
    folder = job_folder(bench.roots, bench.queue.get(number))
    for place in (folder, *(folder / part for part in parts_of(folder)[:1])):
        name, values = sampled_metric(place)
        if values:
            return Sparkline(name=name, values=values)
    return Sparkline(name="", values=[])


@router.get("/api/curves")
async def curves(
    bench: Bench,
    file: FilePath,
    low: Resolution = 10.0,
    high: Annotated[float | None, Query(gt=0, le=10000)] = None,
) -> CurvesAnswer:
    """Curves of a file: a CSV or STAR table, or the Guinier plot of a map."""
    return CurvesAnswer(file=file, **await _curves(bench, file, low, high))


@router.get("/api/curves/readings")
async def readings(bench: Bench, file: FilePath) -> Readings:
    """Resolutions at which the correlations of a table fall below 0.143 and 0.5."""
    found = await _curves(bench, file, None, None)
    tables = [CurveTable.model_validate(table) for table in found["tables"]]
    wanted = [curve.model_dump() for t in tables if t.kind == "fsc" for curve in t.series]
    if not wanted:
        return Readings(file=file, readings=[])
    answer = await bench.worker.call("icelens.apps.web.work.curves:readings", curves=wanted)
    return Readings(file=file, readings=answer.data["readings"])


@router.get("/api/curves/files")
def files(bench: Bench) -> CurveFiles:
    """Tables of curves in the folders of the latest jobs."""
    return CurveFiles(files=_known_files(bench))


@router.get("/view/curves", include_in_schema=False)
def view_curves(
    request: Request,
    bench: Bench,
    file: Annotated[list[str] | None, Query(max_length=64)] = None,
) -> HTMLResponse:
    """Correlations and Guinier plots of some files over each other."""
    chosen = list(dict.fromkeys(file or []))[:MOST_FILES]
    known = _known_files(bench)
    return page(request, "view_curves.html", chosen=chosen, known=known, most=MOST_FILES)


async def _curves(
    bench: Workbench, file: str, low: float | None, high: float | None
) -> dict[str, Any]:
    """Tables of a file; of maps only where a range for the line is given."""
    path = bench.roots.resolve(file)
    if not path.is_file():
        raise InputFileError(f"{file}: no such file; open the table or the map of a job")
    if path.suffix in _TABLES:
        # megabytes of text: other pages must not wait for them
        table = await run_in_threadpool(read_curves, path)
        return {"tables": [table.model_dump()]}
    if path.suffix in _STARS:
        work = "icelens.apps.web.work.curves:star_curves"
        return dict((await bench.worker.call(work, path=str(path))).data)
    if low is None:
        return {"tables": []}
    work = "icelens.apps.web.work.curves:guinier"
    return dict((await bench.worker.call(work, path=str(path), low=low, high=high)).data)


def _known_files(bench: Workbench) -> list[CurveFile]:
    found = []
    for entry in bench.queue.entries(states=("running", "stopped", "done"), limit=_LATEST_JOBS):
        for path in curve_files(bench.roots, entry):
            shown = bench.roots.shown(path)
            found.append(
                CurveFile(file=shown, name=path.name, number=entry.number, title=entry.title)
            )
    return found
