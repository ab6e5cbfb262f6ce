"""New jobs: the page to choose one, its form, what is wrong with it, and the way into the queue."""

from itertools import zip_longest
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from icelens.apps.web.forms import answers, submission
from icelens.apps.web.forms.beginning import Beginning, groups_of, jobs_by_task
from icelens.apps.web.forms.fields import fields_of
from icelens.apps.web.forms.lanes import lanes_of
from icelens.apps.web.forms.submission import WishError, checked
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import JobNumber, OptionalJob
from icelens.apps.web.workbench import Bench
from icelens.jobs.project.settings_paths import job_folder, with_output
from icelens.jobs.registry import find_job

router = APIRouter()
ShortQuery = Annotated[str, Query(max_length=200)]
PathsQuery = Annotated[tuple[Annotated[str, Field(max_length=4096)], ...], Query(max_length=100)]
ShortsQuery = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Query(max_length=100)]


@router.get("/jobs/new", include_in_schema=False)
def new_job(
    request: Request,
    bench: Bench,
    job: ShortQuery = "",
    clone: OptionalJob = None,
    draft: OptionalJob = None,
    input: PathsQuery = (),
    setting: ShortsQuery = (),
    kind: ShortQuery = "",
) -> HTMLResponse:
    """The form of a job, or all jobs to choose from; with an input only those that take it.

    Several inputs come in pairs with the settings they are meant for.
    """
    inputs = list(zip_longest(input, setting[: len(input)], fillvalue=""))
    if not job and clone is None and draft is None:
        path = input[-1] if input else ""
        groups = jobs_by_task(path, kind)
        return page(request, "new_job_choice.html", groups=groups, input=path)
    beginning = Beginning.of(bench, job, clone=clone, draft=draft, inputs=inputs)
    lanes, problems = lanes_of(bench.project)
    declared = find_job(beginning.job)
    return page(
        request,
        "new_job.html",
        job=declared,
        groups=groups_of(fields_of(declared.name), beginning.values),
        beginning=beginning,
        lanes=lanes,
        lane_problems=problems,
    )


@router.get("/api/forms/{job}")
def form(job: answers.JobName) -> answers.FormAnswer:
    """The fields of a job's form, with units, bounds and defaults."""
    declared = find_job(job)
    return answers.FormAnswer(
        job=declared.name,
        summary=declared.summary,
        description=declared.description,
        shared_by=declared.shared_by,
        resumable=declared.resumable,
        fields=list(fields_of(job)),
    )


@router.post("/api/ask/check")
def check(bench: Bench, body: answers.Question) -> answers.CheckAnswer:
    """Check typed values: the equivalent command, or every mistake at its field."""
    found = checked(bench, body.wish(), body.number)
    return answers.CheckAnswer(
        command=found.command,
        problems=answers.problems_of(found.problems),
        warnings=answers.problems_of(found.warnings),
    )


@router.post("/api/ask/estimate")
async def estimate(bench: Bench, body: answers.Question) -> answers.EstimateAnswer:
    """Say what a job will cost in time, memory and disk; reads headers of its inputs."""
    found = checked(bench, body.wish(), body.number)
    if found.config is None:
        raise WishError(list(found.problems))
    job = find_job(body.job)
    folder = job_folder(body.number or submission.next_number(bench.project), job)
    answer = await bench.worker.call(
        "icelens.apps.web.work.estimates:estimate",
        project=str(bench.project.folder),
        job=body.job,
        settings=with_output(job, found.settings, folder),
    )
    return answers.EstimateAnswer(**answer.data)


@router.post("/api/jobs", status_code=201, response_model=answers.EntryAnswer)
def submit(bench: Bench, body: answers.JobBody) -> Response | answers.EntryAnswer:
    """Queue a job, or keep it as a draft; mistakes are told as `problems`, a field for each."""
    try:
        return answers.entry_answer(submission.submit(bench, body.wish()))
    except WishError as error:
        return _refused(error)


@router.put("/api/jobs/{number}", response_model=answers.EntryAnswer)
def edit(bench: Bench, number: JobNumber, body: answers.JobBody) -> Response | answers.EntryAnswer:
    """Change a draft or a job that waits; with `is_draft` false a draft is queued."""
    try:
        return answers.entry_answer([submission.edit(bench, number, body.wish())])
    except WishError as error:
        return _refused(error)


def _refused(error: WishError) -> JSONResponse:
    problems: list[dict[str, Any]] = [
        {"field": each.field, "message": each.message} for each in error.problems
    ]
    return JSONResponse({"error": str(error), "problems": problems}, 422)
