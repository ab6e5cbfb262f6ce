"""Logs of a job, read in pieces: its own, what it printed, and what went to standard error."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from icelens.apps.web.job_view import log_file
from icelens.apps.web.job_view.log_file import Piece
from icelens.apps.web.job_view.log_lines import Level, Line
from icelens.apps.web.request_values import MOST_NUMBER, JobNumber
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import open_plain
from icelens.jobs.journal import LOG_NAME
from icelens.jobs.project.attempt import output_names
from icelens.jobs.project.entry import Entry

router = APIRouter(tags=["logs"])

Stream = Literal["log", "out", "err"]
Offset = Annotated[int | None, Query(ge=0, le=MOST_NUMBER, description="In bytes of the file.")]
Task = Annotated[int | None, Query(ge=0, le=10**6, description="Of an array of a cluster.")]


class LineAnswer(BaseModel):
    """One line; the level is empty where it says none, `cut` counts characters left out."""

    offset: int
    text: str
    level: Level
    time: str
    cut: int


class LogAnswer(BaseModel):
    """Some lines of a log; ask for more before `start` or after `end`."""

    lines: list[LineAnswer]
    start: int
    end: int
    size: int
    partial: str
    is_reset: bool
    file_id: str


class SearchAnswer(BaseModel):
    """Lines that contain a text, the latest of them."""

    lines: list[LineAnswer]
    searched_from: int
    is_more: bool


@router.get("/api/jobs/{number}/log")
def log(
    bench: Bench,
    number: JobNumber,
    stream: Stream = "log",
    before: Offset = None,
    after: Offset = None,
    around: Offset = None,
    file_id: Annotated[str, Query(max_length=64)] = "",
    task: Task = None,
    limit: Annotated[int, Query(ge=1, le=log_file.MOST_LINES)] = 500,
) -> LogAnswer:
    """The end of a log, or its lines before, after or around an offset."""
    path = log_path(bench, bench.queue.get(number), stream, task)
    if after is not None:
        piece = log_file.read_after(path, after, file_id=file_id, most=limit)
    elif before is not None:
        piece = log_file.read_before(path, before, most=limit)
    elif around is not None:
        piece = log_file.read_around(path, around)
    else:
        piece = log_file.read_end(path, most=limit)
    return _answer(piece)


@router.get("/api/jobs/{number}/log/search")
def search(
    bench: Bench,
    number: JobNumber,
    text: Annotated[str, Query(min_length=1, max_length=200)],
    stream: Stream = "log",
    task: Task = None,
) -> SearchAnswer:
    """Lines of a log that contain a text in any case; the latest 200, of the last 256 MiB."""
    found = log_file.search(log_path(bench, bench.queue.get(number), stream, task), text)
    return SearchAnswer(
        lines=[_line(line) for line in found.lines],
        searched_from=found.searched_from,
        is_more=found.is_more,
    )


@router.get("/api/jobs/{number}/log/file", response_class=StreamingResponse)
def whole(
    bench: Bench, number: JobNumber, stream: Stream = "log", task: Task = None
) -> StreamingResponse:
    """A whole log as a file to keep, as long as it is now."""
    entry = bench.queue.get(number)
    path = log_path(bench, entry, stream, task)
    if not path.is_file():
        raise InputFileError(f"{entry.name}: has no {stream} yet; look again when it has begun")
    name = f"{entry.name}-{path.name}"
    return StreamingResponse(
        _blocks(path),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def log_path(bench: Workbench, entry: Entry, stream: Stream, task: int | None = None) -> Path:
    """Where a log of a job lies, links resolved.

    Raises:
        OutsideRootsError: If that is no place the workbench may show.
    """
    if stream == "log":
        return bench.roots.resolve(f"{entry.folder}/{LOG_NAME}")
    name = output_names(task)[stream == "err"]
    return bench.roots.resolve(str(bench.project.control(entry.number) / name))


def _blocks(path: Path) -> Iterator[bytes]:
    with open_plain(path) as file:
        missing = os.fstat(file.fileno()).st_size
        while missing > 0 and (block := file.read(min(missing, log_file.BLOCK))):
            missing -= len(block)
            yield block


def _answer(piece: Piece) -> LogAnswer:
    return LogAnswer(
        lines=[_line(line) for line in piece.lines],
        start=piece.start,
        end=piece.end,
        size=piece.size,
        partial=piece.partial,
        is_reset=piece.is_reset,
        file_id=piece.file_id,
    )


def _line(line: Line) -> LineAnswer:
    return LineAnswer(
        offset=line.offset, text=line.text, level=line.level, time=line.time, cut=line.cut
    )
