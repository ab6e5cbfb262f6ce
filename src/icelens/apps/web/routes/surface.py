"""Isosurfaces: the page, and meshes of maps made beside the server."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.pages import page
from icelens.apps.web.request_values import BINARY, FilePath, binary
from icelens.apps.web.workbench import Bench

router = APIRouter()

Level = Annotated[
    float | None,
    Query(ge=-1e30, le=1e30, allow_inf_nan=False, description="Of the surface, as the map counts"),
]
Colour = Annotated[
    str | None, Query(max_length=4096, description="Map whose values colour the surface")
]
Box = Annotated[int, Query(ge=16, le=256, description="Largest side of the map that is drawn")]
View = Literal["front", "right", "back", "left", "top", "bottom"]
Theme = Literal["dark", "light"]
_WORK = "icelens.apps.web.work.meshes"


class MapFacts(BaseModel):
    """What a form must know of a map before the first mesh."""

    name: str
    file: str
    shape: tuple[int, int, int]
    """Voxels of the map that is drawn, along z, y, x."""
    pixel_size: float
    """Of it, in `unit`."""
    unit: str
    """Å, or px where the file does not know its pixel size."""
    low: float
    high: float
    mean: float
    std: float
    level: float
    """A level to begin with."""
    is_dark: bool
    """Whether density is taken as negative: as asked, or as the map looks."""
    note: str
    """How the map was reduced; empty if it was not."""


@router.get("/view/surface", include_in_schema=False)
def show(request: Request) -> HTMLResponse:
    """The page; it reads the maps from its own address."""
    return page(request, "view_surface.html")


@router.get("/api/surface/facts")
async def facts(
    bench: Bench, file: FilePath, box: Box = 192, *, is_dark: bool | None = None
) -> MapFacts:
    """Sides and spread of a map, and a level to begin with."""
    path = bench.roots.resolve(file)
    answer = await bench.worker.call(f"{_WORK}:describe", path=str(path), box=box, is_dark=is_dark)
    return MapFacts(name=path.name, file=bench.roots.shown(path), **answer.data)


@router.get(
    "/api/surface/mesh",
    response_class=Response,
    responses=binary("Mesh"),
)
async def mesh(
    bench: Bench,
    file: FilePath,
    level: Level = None,
    colour: Colour = None,
    box: Box = 192,
    *,
    is_dark: bool = False,
    hide_dust: bool = True,
) -> Response:
    """The surface of a map: float32 positions and normals (x, y, z), values, uint32 triangles.

    `X-Shape` is JSON with the numbers of vertices and triangles, whether values of a colouring map
    lie between normals and triangles, and the range of those.
    """
    answer = await bench.worker.call(
        f"{_WORK}:surface",
        path=str(bench.roots.resolve(file)),
        level=level,
        colour=str(bench.roots.resolve(colour)) if colour else None,
        box=box,
        is_dark=is_dark,
        hide_dust=hide_dust,
    )
    # headers hold latin letters only
    headers = {"X-Shape": json.dumps(answer.data)}
    return Response(answer.blob, media_type=BINARY, headers=headers)


@router.get(
    "/api/surface/picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "Picture"}},
)
async def picture(
    bench: Bench,
    file: FilePath,
    level: Level = None,
    view: View = "front",
    theme: Theme = "dark",
    size: Annotated[int, Query(ge=64, le=800, description="Side in px")] = 480,
    *,
    is_dark: bool = False,
) -> Response:
    """The surface drawn by the server, for browsers that cannot."""
    answer = await bench.worker.call(
        f"{_WORK}:picture",
        path=str(bench.roots.resolve(file)),
        level=level,
        view=view,
        theme=theme,
        size=size,
        is_dark=is_dark,
    )
    return Response(answer.blob, media_type="image/png")
