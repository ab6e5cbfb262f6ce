"""Orthoslices: the page, and planes of volumes as 16-bit greys, spectra and tables."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.pages import page
from icelens.apps.web.request_values import BINARY, FilePath, binary
from icelens.apps.web.slices.planes import THICKEST_SLAB, Axis
from icelens.apps.web.workbench import Bench, Workbench
from icelens.apps.web.worker import Answer, WorkerError
from icelens.core.errors import InputFileError

router = APIRouter()

Index = Annotated[int, Query(ge=0, le=10_000_000, description="Voxel along the axis")]
Slab = Annotated[int, Query(ge=1, le=THICKEST_SLAB, description="Planes averaged")]
Size = Annotated[int, Query(ge=16, le=8192, description="Longest side of the answer in px")]
_WORK = "icelens.apps.web.work.planes"
_CODES = binary("uint16 codes")


class VolumeFacts(BaseModel):
    """What a page must know of a volume before it asks for planes."""

    name: str
    file: str
    shape: tuple[int, int, int]
    """Voxels along z, y, x."""
    pixel_size: float | None
    """Å/px; null if the file does not know."""
    origin_xyz: tuple[float, float, float]
    dtype: str
    format: str
    percents: list[float]
    quantiles: list[float]
    """Values at `percents`, from a sample; empty if no value is finite."""
    low: float
    high: float
    version: str
    """Changes when the file does."""
    commands: dict[str, str]
    """Commands that open the volume in other programs."""


@router.get("/view/slices", include_in_schema=False)
def show(request: Request) -> HTMLResponse:
    """The page; it reads the volumes from its own address."""
    return page(request, "view_slices.html")


@router.get("/api/volumes/header")
async def header(bench: Bench, file: FilePath) -> VolumeFacts:
    """Shape, sampling and grey values of a volume."""
    path = bench.roots.resolve(file)
    answer = await ask(bench, "header", file, path=str(path))
    return VolumeFacts(file=bench.roots.shown(path), **answer.data)


@router.get("/api/volumes/slice", response_class=Response, responses=_CODES)
async def plane(
    bench: Bench, file: FilePath, axis: Axis, index: Index, slab: Slab = 1, max_size: Size = 1024
) -> Response:
    """A plane as little endian uint16: 0 has no value, 1 is `X-Low`, 65535 is `X-High`.

    `X-Shape` is rows, columns: y, x across z; z, x across y; y, z across x. `X-Bin` is the side of
    the squares that were averaged, in voxels.
    """
    path = str(bench.roots.resolve(file))
    answer = await ask(
        bench, "cut", file, path=path, axis=axis, index=index, slab=slab, max_size=max_size
    )
    return _codes(answer)


@router.get("/api/volumes/spectrum", response_class=Response, responses=_CODES)
async def spectrum(
    bench: Bench, file: FilePath, axis: Axis, index: Index, slab: Slab = 1, max_size: Size = 1024
) -> Response:
    """The logarithm of a plane's power, coded as planes are; frequency 0 is in the middle."""
    path = str(bench.roots.resolve(file))
    answer = await ask(
        bench, "spectrum", file, path=path, axis=axis, index=index, slab=slab, max_size=max_size
    )
    return _codes(answer)


@router.get(
    "/api/volumes/plane.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "Raw values"}},
)
async def table(bench: Bench, file: FilePath, axis: Axis, index: Index, slab: Slab = 1) -> Response:
    """The raw values of a plane, a row in each line."""
    path = str(bench.roots.resolve(file))
    answer = await ask(bench, "table", file, path=path, axis=axis, index=index, slab=slab)
    return Response(answer.blob, media_type="text/csv; charset=utf-8")


async def ask(bench: Workbench, function: str, file: str, **arguments: str | int) -> Answer:
    """Ask the process that cuts planes.

    Raises:
        InputFileError: If it ended, as it does when a file shrinks while it is read.
    """
    try:
        return await bench.worker.call(f"{_WORK}:{function}", **arguments)
    except WorkerError as error:
        raise InputFileError(
            f"{file}: could not be read ({error}); if it is being written, look again when that is "
            "done"
        ) from error


def _codes(answer: Answer) -> Response:
    data = answer.data
    headers = {
        "X-Shape": f"{data['rows']},{data['columns']}",
        "X-Low": repr(data["low"]),
        "X-High": repr(data["high"]),
        "X-Bin": str(data["bin"]),
    }
    return Response(answer.blob, media_type=BINARY, headers=headers)
