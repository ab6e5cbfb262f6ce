"""The start page, the demo, and the gauges of the lanes in the top bar."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.home_view.demo_jobs import Part, queue_demo
from icelens.apps.web.home_view.lanes import lane_gauges
from icelens.apps.web.home_view.results import latest_results
from icelens.apps.web.home_view.way import ways
from icelens.apps.web.job_view.answers import JobAnswer, answers_of
from icelens.apps.web.job_view.cards import card_of
from icelens.apps.web.pages import page
from icelens.apps.web.workbench import Bench

router = APIRouter(tags=["project"])

MOST_FAILED = 5
MOST_RUNNING = 8


class Queued(BaseModel):
    """The jobs that were queued."""

    jobs: list[JobAnswer]


@router.get("/", include_in_schema=False)
def home(request: Request, bench: Bench) -> HTMLResponse:
    """What runs, what came of it, and what to do next."""
    return page(request, "home.html", **_values(bench))


@router.get("/fragments/home", include_in_schema=False)
def home_fragment(request: Request, bench: Bench) -> HTMLResponse:
    """The start page without its frame, to be renewed as jobs go on."""
    return page(request, "fragments/home_body.html", **_values(bench))


@router.get("/fragments/lanes", include_in_schema=False)
def lanes(request: Request, bench: Bench) -> HTMLResponse:
    """What each lane does, for the top bar."""
    gauges, trouble = lane_gauges(bench)
    counts = bench.queue.counts()
    return page(request, "fragments/lanes.html", gauges=gauges, trouble=trouble, counts=counts)


@router.post("/api/demo", status_code=201)
def demo(
    bench: Bench,
    part: Annotated[Part, Query(description="Restoration only, or all four.")] = "restore",
) -> Queued:  # fmt: skip
    """Queue the steps of the demo as jobs of this project, in a folder of their own."""
    return Queued(jobs=answers_of(bench.roots, queue_demo(bench.queue, part)))


def _values(bench: Bench) -> dict[str, Any]:
    queue, roots = bench.queue, bench.roots
    counts = queue.counts()
    running = queue.entries(states=("running",), limit=MOST_RUNNING)
    waiting = queue.entries(states=("queued", "waiting"), limit=3, sort="queue")
    return {
        "counts": counts,
        "is_empty": not sum(counts.values()),
        "ways": ways(queue),
        "running": [card_of(roots, each) for each in running],
        "queued": [card_of(roots, each) for each in waiting],
        "failed": [
            card_of(roots, each)
            for each in queue.entries(states=("failed",), limit=MOST_FAILED, sort="ended")
        ],
        "results": latest_results(bench),
    }  # fmt: skip
