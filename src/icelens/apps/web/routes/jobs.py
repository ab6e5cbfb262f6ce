"""The jobs of the project: the page with board and table, its pieces, and the list as JSON."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Cookie, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.job_files import seen_folder
from icelens.apps.web.job_view.answers import (
    Emptied,
    Glance,
    Glances,
    JobsAnswer,
    answers_of,
)
from icelens.apps.web.job_view.listed import (
    PAGE_LENGTH,
    VIEWS,
    AskedFilter,
    column_of,
    listed,
    some_cards,
)
from icelens.apps.web.job_view.openers import picture_url
from icelens.apps.web.job_view.pictures import card_picture, pictures_in
from icelens.apps.web.metrics import sampled_metric
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import job_numbers
from icelens.apps.web.workbench import Bench, Workbench
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.listing import Sort
from icelens.jobs.registry import tasks

router = APIRouter(tags=["jobs"])

MOST_AT_ONCE = 100
Numbers = Annotated[str, Query(max_length=2000, pattern=r"^[0-9,]*$", description="Of jobs: 3,5")]


@router.get("/jobs", include_in_schema=False)
def jobs_page(
    request: Request,
    bench: Bench,
    asked: AskedFilter,
    view: Annotated[str, Query(max_length=20)] = "",
    icelens_view: Annotated[str, Cookie(max_length=200)] = "",
) -> HTMLResponse:
    """Board or table of jobs; the choice is remembered in a cookie."""
    if view not in VIEWS and icelens_view in VIEWS:
        asked = replace(asked, view=icelens_view)
    queue = bench.queue
    return page(
        request,
        "jobs.html",
        listed=listed(bench, asked),
        counts=queue.counts(),
        in_trash=queue.count(is_removed=True),
        tasks=list(tasks()),
        column_of=column_of,
        length=PAGE_LENGTH,
    )


@router.get("/fragments/jobs", include_in_schema=False)
def jobs_fragment(request: Request, bench: Bench, asked: AskedFilter) -> HTMLResponse:
    """Board or table alone."""
    found = listed(bench, asked)
    return page(
        request, "fragments/job_list.html", listed=found, column_of=column_of, length=PAGE_LENGTH
    )


@router.get("/fragments/jobs/some", include_in_schema=False)
def some_fragment(
    request: Request, bench: Bench, asked: AskedFilter, numbers: Numbers = ""
) -> HTMLResponse:
    """Cards or rows of some jobs, of those that pass the filter."""
    cards = some_cards(bench, asked, job_numbers(numbers)[:MOST_AT_ONCE])
    return page(request, "fragments/some_jobs.html", filter=asked, cards=cards, column_of=column_of)


@router.get("/api/jobs")
def jobs(
    bench: Bench,
    state: Annotated[list[State] | None, Query(description="Only in these states.")] = None,
    task: Annotated[str, Query(max_length=100, description="Only of this capability.")] = "",
    text: Annotated[str, Query(max_length=200, description="In title, name or number.")] = "",
    numbers: Numbers = "",
    sort: Sort = "number",
    ascending: bool = False,  # noqa: FBT001, FBT002 - of the query
    removed: bool = False,  # noqa: FBT001, FBT002 - of the query
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JobsAnswer:
    """Jobs of the project, the latest first if nothing else is asked for."""
    queue = bench.queue
    states = tuple(state or ())
    chosen = job_numbers(numbers)[:MOST_AT_ONCE]
    entries = queue.entries(
        states=states,
        text=text,
        task=task,
        numbers=chosen,
        limit=limit,
        offset=offset,
        is_removed=removed,
        sort=sort,
        is_ascending=ascending,
    )
    total = queue.count(states=states, text=text, task=task, is_removed=removed)
    return JobsAnswer(
        jobs=answers_of(bench.roots, entries),
        total=len(entries) if chosen else total,
        offset=offset,
        counts=queue.counts(),
    )


@router.get("/api/glances")
def glances(bench: Bench, numbers: Numbers = "") -> Glances:
    """The latest picture and a small curve of some jobs, for their cards."""
    chosen = job_numbers(numbers)[:MOST_AT_ONCE]
    entries = bench.queue.entries(numbers=chosen, limit=MOST_AT_ONCE) if chosen else []
    return Glances(glances={entry.number: _glance(bench, entry) for entry in entries})


@router.delete("/api/trash")
def empty_trash(bench: Bench) -> Emptied:
    """Delete the jobs in the trash and their folders for good."""
    return Emptied(deleted=bench.queue.empty_trash())


def _glance(bench: Workbench, entry: Entry) -> Glance:
    folder = seen_folder(bench.roots, entry)
    picture = card_picture(pictures_in(folder))
    name, values = sampled_metric(folder) if folder else ("", [])
    return Glance(
        picture=picture_url(bench.roots.shown(picture.path), picture.modified) if picture else "",
        alt=f"{picture.title} of {entry.name}" if picture else "",
        curve=name,
        values=values,
    )
