"""Make pages from templates."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

import icelens
from icelens.apps.dry_run import size
from icelens.apps.web.workbench import workbench_of
from icelens.jobs.report import duration

FOLDER = Path(str(files("icelens.apps.web")))
STATIC = FOLDER / "static"


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """A page, or a piece of one, from `templates/<name>`."""
    return HTMLResponse(render(request, name, **values), status)


def render(request: Request, name: str, **values: Any) -> str:  # noqa: ANN401 - templates take anything
    """The text of a page."""
    bench = workbench_of(request)
    return (
        environment()
        .get_template(name)
        .render(request=request, bench=bench, path=request.url.path, **values)
    )


@cache
def environment() -> Environment:
    """The templates; all values are escaped, and a name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "version": icelens.__version__}
    made.filters |= {"ago": ago, "duration": duration, "size": size, "number": number}
    return made


def asset(path: str) -> str:
    """Address of a file in `static`; it changes with the file, so that browsers may keep it."""
    try:
        stamp = f"{(STATIC / path).stat().st_mtime_ns:x}"
    except OSError:
        stamp = "0"
    return f"/static/{path}?{stamp[-8:]}"


def ago(text: str | None) -> str:
    """A time as `4 min ago`; empty if there is none."""
    if not text:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
    if seconds < 45:
        return "just now"
    for limit, unit, length in ((3600, "min", 60), (86400, "h", 3600), (7 * 86400, "d", 86400)):
        if seconds < limit:
            return f"{max(1, round(seconds / length))} {unit} ago"
    return datetime.fromisoformat(text).strftime("%d %b %Y")


def number(value: float) -> str:
    """A number with a thin space between thousands."""
    return f"{value:,}".replace(",", "\u2009") if isinstance(value, int) else f"{value:.4g}"
