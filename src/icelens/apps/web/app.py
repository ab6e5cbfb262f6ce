"""Put the server together: its routes, what guards them, and how mistakes are answered."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

import icelens
from icelens.apps.web import routes
from icelens.apps.web.access import Access, Gate
from icelens.apps.web.document import describe
from icelens.apps.web.live import Watch
from icelens.apps.web.pages import STATIC, page
from icelens.apps.web.roots import OutsideRootsError
from icelens.apps.web.workbench import Workbench
from icelens.apps.web.worker import BusyError
from icelens.core.errors import IcelensError
from icelens.jobs.project.listing import UnknownEntryError
from icelens.jobs.registry import UnknownJobError

_IDLE_LOOK_SECONDS = 30


def create_app(bench: Workbench, access: Access, *, dispatches: bool = True) -> Gate:
    """The server as an ASGI app.

    Args:
        bench: What it works on.
        access: Who may ask.
        dispatches: Whether it starts the jobs of the queue; off in tests of pages.
    """
    app = FastAPI(
        title="icelens",
        version=icelens.__version__,
        description="The workbench of a project: jobs, files and pictures.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan(bench, dispatches=dispatches and not bench.is_read_only),
    )
    app.state.workbench = bench
    for router in routers():
        app.include_router(router)
    app.mount("/static", _Static(directory=STATIC), name="static")
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.add_exception_handler(IcelensError, _on_mistake)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    return Gate(app, access)


def routers() -> Iterator[APIRouter]:
    """What each file of `routes` answers."""
    for module in pkgutil.iter_modules(routes.__path__, f"{routes.__name__}."):
        yield importlib.import_module(module.name).router


def _lifespan(
    bench: Workbench, *, dispatches: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        del app
        bench.live.begin(asyncio.get_running_loop())
        watch = Watch(lambda: bench.project, bench.live, dispatches=dispatches)
        watch.start()
        tidy = asyncio.create_task(_end_idle_workers(bench))
        yield
        tidy.cancel()
        watch.stop()
        bench.worker.stop()

    return live


async def _end_idle_workers(bench: Workbench) -> None:
    while True:
        await asyncio.sleep(_IDLE_LOOK_SECONDS)
        bench.worker.end_idle()


class _Static(StaticFiles):
    """Files that browsers keep, and ask whether they changed."""

    def file_response(self, *args: object, **options: object) -> Response:
        answer = super().file_response(*args, **options)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer


async def _on_mistake(request: Request, error: Exception) -> Response:
    """What a user can mend: one line."""
    status = 422
    if isinstance(error, OutsideRootsError):
        status = 403
    elif isinstance(error, UnknownEntryError | UnknownJobError):
        status = 404
    elif isinstance(error, BusyError):
        status = 503
    return _answer(request, status, str(error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    lines = [
        f"{'.'.join(str(part) for part in each['loc'][1:]) or 'request'}: {each['msg']}"
        for each in error.errors()[:5]
    ]
    return _answer(request, 422, "; ".join(lines))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, error.status_code, str(error.detail), error.headers)


async def _on_bug(request: Request, error: Exception) -> Response:
    """A bug of ours: one line here, the traceback where the server runs."""
    text = f"unexpected {type(error).__name__}: this is a bug; icelens serve printed the details"
    return _answer(request, 500, text)


def _answer(
    request: Request, status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status, headers=headers)
    answer = page(request, "error.html", status=status, text=text)
    answer.headers.update(headers or {})
    return answer
