"""The lineage of results: which job reads what another wrote."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.job_files import record_of
from icelens.apps.web.lineage_picture import picture_of
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import OptionalJob
from icelens.apps.web.workbench import Bench, Workbench
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.lineage import Lineage, lineage_of

router = APIRouter(tags=["lineage"])

MOST_JOBS = 600
"""More are not read at a glance; a job's own lineage still shows."""
_MOST_SEARCHED = 5000


class LineageNode(BaseModel):
    """A job, or a file that no job wrote."""

    key: str
    label: str
    number: int | None
    job: str
    state: str


class LineageLink(BaseModel):
    """Target reads these paths of source, or waits for it."""

    source: str
    target: str
    paths: list[str]


class LineageAnswer(BaseModel):
    """Jobs, the files they start from, and what passes between them."""

    nodes: list[LineageNode]
    links: list[LineageLink]


@router.get("/api/lineage")
def lineage(bench: Bench, job: OptionalJob = None) -> LineageAnswer:
    """The graph of jobs and files, of the whole project or around one job."""
    found, _ = _lineage(bench, job)
    nodes = [
        LineageNode(
            key=node.key,
            label=node.label,
            number=node.job.number if node.job else None,
            job=node.job.job if node.job else "",
            state=node.job.state if node.job else "",
        )
        for node in found.nodes
    ]
    links = [
        LineageLink(source=e.source, target=e.target, paths=list(e.paths)) for e in found.links
    ]
    return LineageAnswer(nodes=nodes, links=links)


@router.get("/lineage", include_in_schema=False)
def lineage_page(
    request: Request, bench: Bench, job: OptionalJob = None, *, is_piece: bool = False
) -> HTMLResponse:
    """The graph as a picture; with `is_piece` the picture alone."""
    found, num_hidden = _lineage(bench, job)
    name = "lineage_picture.html" if is_piece else "lineage.html"
    return page(
        request,
        name,
        focus=None if job is None else bench.queue.get(job),
        picture=picture_of(found),
        num_jobs=sum(node.job is not None for node in found.nodes),
        num_hidden=num_hidden,
    )


def _lineage(bench: Workbench, job: int | None) -> tuple[Lineage, int]:
    """The graph, and how many older jobs are not in it."""
    if job is not None:
        bench.queue.get(job)
    limit = MOST_JOBS if job is None else _MOST_SEARCHED
    entries = bench.queue.entries(limit=limit)
    root = bench.project.folder
    found = lineage_of(root, entries, _records(bench, entries))
    if job is not None:
        found = found.around(f"job:{job}")
    return found, max(0, sum(bench.queue.counts().values()) - len(entries))


def _records(bench: Workbench, entries: list[Entry]) -> Mapping[int, Mapping[str, Any]]:
    return {
        entry.number: record_of(bench.roots, entry)
        for entry in entries
        if entry.started is not None
    }
