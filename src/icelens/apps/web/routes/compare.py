"""Comparison of jobs: settings, versions, inputs, times, curves and pictures beside each other."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from icelens.apps.web.job_files import curve_files, pictures, record_of
from icelens.apps.web.pages import page
from icelens.apps.web.request_values import AskedJob, job_numbers
from icelens.apps.web.served_file import ServedFile
from icelens.apps.web.workbench import Bench, Workbench
from icelens.core.errors import InputFileError, MetadataError
from icelens.jobs.project.difference import Difference, compare
from icelens.jobs.project.entry import Entry

router = APIRouter(tags=["compare"])

MOST_JOBS = 8
_LATEST_JOBS = 40
_MOST_PICTURES = 30

Numbers = Annotated[str, Query(max_length=200, pattern=r"^[\dJj, ]*$")]


class ComparedRow(BaseModel):
    """One thing of all jobs; null where a job does not have it."""

    name: str
    values: list[str | None]
    differs: bool


class Compared(BaseModel):
    """Jobs beside each other; in each group the rows that differ come first."""

    labels: list[str]
    settings: list[ComparedRow]
    inputs: list[ComparedRow]
    versions: list[ComparedRow]
    outcome: list[ComparedRow]


@router.get("/api/compare")
def compare_jobs(bench: Bench, jobs: Numbers) -> Compared:
    """What tells jobs apart."""
    return Compared.model_validate(asdict(_difference(bench, _entries(bench, jobs))))


@router.get("/compare", include_in_schema=False)
def compare_page(
    request: Request,
    bench: Bench,
    jobs: Annotated[list[str] | None, Query(max_length=64)] = None,
) -> HTMLResponse:
    """Jobs beside each other, or a choice of jobs where fewer than two are named."""
    entries = _entries(bench, ",".join(jobs or [])[:400])
    if len(entries) < 2:
        latest = bench.queue.entries(limit=_LATEST_JOBS)
        numbers = {entry.number for entry in entries}
        return page(request, "compare_choice.html", latest=latest, chosen=numbers, most=MOST_JOBS)
    return page(
        request,
        "compare.html",
        entries=entries,
        difference=_difference(bench, entries),
        pictures=_pictures(bench, entries),
        curves={
            entry.number: [bench.roots.shown(path) for path in curve_files(bench.roots, entry)]
            for entry in entries
        },
    )


@router.get("/compare/picture", include_in_schema=False)
def picture(
    bench: Bench,
    job: AskedJob,
    name: Annotated[str, Query(max_length=400)],
) -> Response:
    """One picture of a job, named as its folder has it."""
    found = pictures(bench.roots, bench.queue.get(job))
    if name not in found:
        raise InputFileError(f"J{job}: no picture {name!r}; it may have been written anew")
    return ServedFile(bench.roots, str(found[name]), "image/png", {})


def _entries(bench: Workbench, text: str) -> list[Entry]:
    """The jobs of a text such as `3,5` or `J3, J5`, each once."""
    unique = job_numbers(text)
    if len(unique) > MOST_JOBS:
        raise MetadataError(f"{len(unique)} jobs are too many to compare; choose {MOST_JOBS}")
    return [bench.queue.get(number) for number in unique]


def _difference(bench: Workbench, entries: list[Entry]) -> Difference:
    records = {entry.name: record_of(bench.roots, entry) for entry in entries}
    return compare(records, root=f"{bench.project.folder}/")


def _pictures(bench: Workbench, entries: list[Entry]) -> dict[str, list[int]]:
    """Names of pictures with the numbers of the jobs that have them, the most shared first."""
    found: dict[str, list[int]] = {}
    for entry in entries:
        for name in pictures(bench.roots, entry):
            found.setdefault(name, []).append(entry.number)
    ranked = sorted(found, key=lambda name: -len(found[name]))
    return {name: found[name] for name in ranked[:_MOST_PICTURES]}
