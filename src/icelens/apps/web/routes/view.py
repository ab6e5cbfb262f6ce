"""What there is to look at, and a field to open any file."""

from pathlib import PurePath

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from icelens.apps.web.home_view.results import viewable_files
from icelens.apps.web.job_view.openers import kind_of, view_url, views_of
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import FilePath
from icelens.apps.web.workbench import Bench
from icelens.core.errors import InputFileError
from icelens.jobs.record import RECORD_NAME

router = APIRouter(include_in_schema=False)


@router.get("/view")
def view(request: Request, bench: Bench) -> HTMLResponse:
    """Files of the latest jobs by the viewer that shows them."""
    return page(request, "view.html", groups=viewable_files(bench))


@router.get("/view/open")
def open_any(bench: Bench, file: FilePath) -> RedirectResponse:
    """The viewer that shows a file, chosen by its ending; a run's folder opens as its latents."""
    path = bench.roots.resolve(file.strip())
    shown = bench.roots.shown(path)
    if not path.exists():
        raise InputFileError(f"{file}: no such file; check the path")
    if path.is_dir() and path.suffix != ".zarr":
        place = "latents" if (path / RECORD_NAME).is_file() else "picks"
        return RedirectResponse(view_url(place, {"latents": "run"}.get(place, place), shown), 303)
    views = views_of(shown, kind_of(shown), "")
    if not views:
        raise InputFileError(
            f"{file}: no viewer for {PurePath(file).suffix or 'this'} files; open a volume, a STAR "
            "file, a table or a picture"
        )
    return RedirectResponse(views[0].url, 303)
