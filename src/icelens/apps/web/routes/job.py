"""One job: its page, and all that can be done with it."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.job_view.answers import JobAnswer, answer_of
from icelens.apps.web.job_view.job_page import job_page
from icelens.apps.web.job_view.openers import picture_url
from icelens.apps.web.job_view.path_check import check_paths
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import JobNumber
from icelens.apps.web.workbench import Bench
from icelens.jobs.project.entry import PENDING
from icelens.jobs.project.trash import StateError

router = APIRouter(tags=["jobs"])


class Changes(BaseModel):
    """Settings that shall differ in the copy, nested as in a settings file."""

    model_config = ConfigDict(extra="forbid")
    changes: dict[str, Any] = Field(default_factory=dict)


class Edit(BaseModel):
    """What may be changed; the title at any time, all else before the job begins."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(default=None, min_length=1, max_length=1000)
    priority: int | None = Field(default=None, ge=-1000, le=1000)
    lane: str | None = Field(default=None, max_length=100)


@router.get("/jobs/{number:int}", include_in_schema=False)
def job(request: Request, bench: Bench, number: JobNumber) -> HTMLResponse:
    """The page of a job."""
    shown = job_page(bench, bench.queue.get(number))
    return page(request, "job.html", job=shown, picture_url=picture_url, roots=bench.roots)


@router.get("/fragments/jobs/{number:int}", include_in_schema=False)
def job_fragment(request: Request, bench: Bench, number: JobNumber) -> HTMLResponse:
    """The page of a job without its frame, to be renewed while it runs."""
    shown = job_page(bench, bench.queue.get(number))
    return page(
        request, "fragments/job_body.html", job=shown, picture_url=picture_url, roots=bench.roots
    )


@router.get("/api/jobs/{number}")
def get(bench: Bench, number: JobNumber) -> JobAnswer:
    """A job of the project."""
    return answer_of(bench.roots, bench.queue.get(number))


@router.patch("/api/jobs/{number}")
def edit(bench: Bench, number: JobNumber, edit: Edit) -> JobAnswer:
    """Change the title of a job, or, before it begins, its priority and lane."""
    values = edit.model_dump(exclude_none=True)
    entry = bench.queue.get(number)
    if values:
        entry = bench.queue.edit(number, **values)
    return answer_of(bench.roots, entry)


@router.post("/api/jobs/{number}/start")
def start(bench: Bench, number: JobNumber) -> JobAnswer:
    """Queue a draft."""
    return answer_of(bench.roots, bench.queue.start(number))


@router.post("/api/jobs/{number}/now")
def start_now(bench: Bench, number: JobNumber) -> JobAnswer:
    """Run a draft or a job that waits its turn at once, whatever else runs in its lane."""
    queue = bench.queue
    entry = queue.get(number)
    if entry.state not in ("draft", *PENDING) or entry.removed:
        raise StateError(f"{entry.name}: is {entry.state}; only a job not yet begun can be started")
    queue.edit(number, run_now=True)
    if entry.state == "draft":
        queue.start(number)
    return answer_of(bench.roots, queue.get(number))


@router.post("/api/jobs/{number}/cancel")
def cancel(bench: Bench, number: JobNumber) -> JobAnswer:
    """Ask a job to stop; what it saved is kept."""
    return answer_of(bench.roots, bench.queue.cancel(number))


@router.post("/api/jobs/{number}/resume")
def resume(bench: Bench, number: JobNumber) -> JobAnswer:
    """Queue a job that ended again; it goes on from what it saved."""
    return answer_of(bench.roots, bench.queue.resume(number))


@router.post("/api/jobs/{number}/remove")
def remove(bench: Bench, number: JobNumber) -> JobAnswer:
    """Move a job and its folder to the trash."""
    return answer_of(bench.roots, bench.queue.remove(number))


@router.post("/api/jobs/{number}/restore")
def restore(bench: Bench, number: JobNumber) -> JobAnswer:
    """Take a job out of the trash."""
    return answer_of(bench.roots, bench.queue.restore(number))


@router.post("/api/jobs/{number}/clone", status_code=201)
def clone(bench: Bench, number: JobNumber, wanted: Changes) -> JobAnswer:
    """Make a draft with the settings of a job and some changes."""
    entry = bench.queue.get(number)
    check_paths(bench.roots, entry.job, wanted.changes)
    return answer_of(bench.roots, bench.queue.clone(number, wanted.changes))
