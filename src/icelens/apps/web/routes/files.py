"""Files of the project: lists, headers, pictures, reports; never anything that could act."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from icelens.apps.web.files.kinds import ending_of
from icelens.apps.web.files.listing import Listing, list_folder, starting_points
from icelens.apps.web.forms.fitting import ENDINGS
from icelens.apps.web.request_values import AskedJob, FilePath
from icelens.apps.web.served_file import ServedFile
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import IcelensError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import read_plain
from icelens.jobs.record import RECORD_NAME
from icelens.jobs.report import REPORT_NAME

router = APIRouter()

_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_REPORT = f"{_SANDBOX}; frame-ancestors 'self'"
_SHOWN: Mapping[str, str] = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".svg": "image/svg+xml",
    **dict.fromkeys(
        (".csv", ".tsv", ".txt", ".log", ".json", ".jsonl", ".yaml", ".yml", ".star", ".md",
         ".bib", ".tlt", ".rawtlt", ".mdoc", ".aln"),
        "text/plain; charset=utf-8",
    ),
}  # fmt: skip
"""What is shown in the browser, and as what; all else is for download."""
_THUMBNAILS = "thumbnails"
_MOST_THUMBNAILS = 4000
_MOST_BYTES = 2**23


class FilesAnswer(BaseModel):
    """A folder, and the folders one can begin at."""

    listing: Listing
    roots: list[tuple[str, str]]


class AboutAnswer(BaseModel):
    """What a file holds."""

    path: str
    name: str
    kind: str
    lines: list[str]
    problem: str
    size: int
    shape: list[int] | None = None
    pixel_size: float | None = None
    has_picture: bool = False


@router.get("/api/files")
def files(
    bench: Bench,
    folder: Annotated[str, Query(max_length=4096)] = "",
    kind: Annotated[str, Query(max_length=200)] = "",
) -> FilesAnswer:
    """List a folder: folders first, hidden files left out, at most 2000 entries.

    `kind` may name kinds of results, separated by commas, such as `particles,stack`.
    """
    kinds = [each for each in kind.split(",") if each in ENDINGS]
    endings = [ending for each in kinds for ending in ENDINGS[each]]
    listing = list_folder(bench.roots, bench.roots.resolve(folder or "."), endings)
    return FilesAnswer(listing=listing, roots=starting_points(bench.roots))


@router.get("/api/files/about")
async def about(bench: Bench, file: FilePath) -> AboutAnswer:
    """Say what a file or the folder of a run holds."""
    path = bench.roots.resolve(file)
    shown = bench.roots.shown(path)
    if path.is_dir() and not (path / RECORD_NAME).exists() and ending_of(path.name) != ".zarr":
        return AboutAnswer(path=shown, name=path.name, kind="folder", lines=[], problem="", size=0)
    answer = await bench.worker.call(
        "icelens.apps.web.work.inspection:about", project=str(bench.project.folder), file=str(path)
    )
    return AboutAnswer(path=shown, name=path.name, **answer.data)


@router.get("/files/raw", response_class=Response)
def raw(bench: Bench, file: FilePath) -> Response:
    """A file itself: pictures and texts to be shown, all else to be kept."""
    kind = _SHOWN.get(ending_of(PurePath(file).name))
    return ServedFile(
        bench.roots,
        file,
        kind or "application/octet-stream",
        {"Content-Security-Policy": _SANDBOX},
        "inline" if kind else "attachment",
    )


@router.get("/files/report", response_class=Response)
def report(bench: Bench, job: AskedJob) -> Response:
    """The report of a job, for a frame in which nothing can act."""
    file = str(Path(bench.queue.get(job).folder) / REPORT_NAME)
    headers = {"Content-Security-Policy": _REPORT, "X-Frame-Options": "SAMEORIGIN"}
    return ServedFile(bench.roots, file, "text/html; charset=utf-8", headers)


@router.get("/files/thumbnail", response_class=Response)
async def thumbnail(
    bench: Bench, file: FilePath, size: Annotated[int, Query(ge=32, le=1024)] = 240
) -> Response:
    """The middle of a volume as a small picture, made once and kept."""
    path, kept, content = await run_in_threadpool(_kept_thumbnail, bench, file, size)
    if not content:
        answer = await bench.worker.call(
            "icelens.apps.web.work.thumbnails:thumbnail", file=str(path), size=size
        )
        content = answer.blob
        if bench.roots.contains(kept.parent.resolve()):
            await run_in_threadpool(_keep, kept, content)
    return Response(
        content, media_type="image/png", headers={"Cache-Control": "private, max-age=60"}
    )


def _kept_thumbnail(bench: Workbench, file: str, size: int) -> tuple[Path, Path, bytes]:
    """A volume, where its picture is kept, and that picture; empty if it was not made yet."""
    path = bench.roots.resolve(file)
    try:
        about = path.stat()
    except OSError as error:
        raise HTTPException(404, f"{file:.400}: does not exist") from error
    facts: tuple[Any, ...] = (str(path), about.st_mtime_ns, about.st_size, size)
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
    kept = bench.project.hidden / _THUMBNAILS / f"{key}.png"
    try:
        return path, kept, read_plain(kept, _MOST_BYTES)
    except OSError:
        return path, kept, b""


def _keep(path: Path, content: bytes) -> None:
    """Keep a picture if that is possible; where there are very many, the older half goes."""
    with suppress(IcelensError, OSError):
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
        others = list(path.parent.glob("*.png"))
        if len(others) > _MOST_THUMBNAILS:
            others.sort(key=lambda each: each.stat().st_mtime)
            for old in others[: len(others) // 2]:
                old.unlink(missing_ok=True)
