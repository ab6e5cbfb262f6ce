"""The start page."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.pages import page
from icelens.apps.web.workbench import Bench

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, bench: Bench) -> HTMLResponse:
    """What one can do, and where the project stands."""
    return page(request, "home.html", counts=bench.queue.counts())
