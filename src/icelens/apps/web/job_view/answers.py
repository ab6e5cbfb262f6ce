"""What the programming interface says of jobs."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from icelens.apps.web.job_view.cards import progress_of, seconds_of
from icelens.apps.web.job_view.record_file import as_json
from icelens.apps.web.roots import Roots
from icelens.jobs.project.entry import Entry, Origin, State


class ProgressAnswer(BaseModel):
    """How far a job is; the remaining time in seconds, where its speed is known."""

    stage: str
    done: int
    total: int
    remaining_seconds: float | None


class JobAnswer(BaseModel):
    """One job of the project; times are ISO 8601 in UTC, paths relative to the project."""

    number: int
    name: str
    job: str
    task: str
    title: str
    state: State
    cause: str
    remedy: str
    settings: dict[str, Any]
    folder: str
    lane: str
    priority: int
    after: list[int]
    run_now: bool
    is_cancelling: bool
    origin: Origin
    created: str
    started: str | None
    ended: str | None
    removed: str | None
    attempt: int
    seconds: float | None
    progress: ProgressAnswer | None
    revision: int


class JobsAnswer(BaseModel):
    """Some jobs of those that were asked for, and how many there are in all."""

    jobs: list[JobAnswer]
    total: int
    offset: int
    counts: dict[State, int]


class Emptied(BaseModel):
    """How many jobs were deleted for good."""

    deleted: int


class Glance(BaseModel):
    """The picture and the curve by which a job is known; the picture's address may be empty."""

    picture: str
    alt: str
    curve: str
    values: list[float | None]


class Glances(BaseModel):
    """Pictures and curves by the number of the job."""

    glances: dict[int, Glance]


def answer_of(roots: Roots, entry: Entry) -> JobAnswer:
    """A job as the interface says it."""
    progress = progress_of(roots, entry)
    return JobAnswer(
        number=entry.number,
        name=entry.name,
        job=entry.job,
        task=entry.task,
        title=entry.title,
        state=entry.state,
        cause=entry.cause,
        remedy=entry.remedy,
        settings=as_json(entry.settings),
        folder=entry.folder,
        lane=entry.lane,
        priority=entry.priority,
        after=list(entry.after),
        run_now=entry.run_now,
        is_cancelling=entry.is_cancelling,
        origin=entry.origin,
        created=entry.created,
        started=entry.started,
        ended=entry.ended,
        removed=entry.removed,
        attempt=entry.attempt,
        seconds=seconds_of(entry),
        progress=None
        if progress is None
        else ProgressAnswer(
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            remaining_seconds=progress.remaining,
        ),
        revision=entry.revision,
    )


def answers_of(roots: Roots, entries: Sequence[Entry]) -> list[JobAnswer]:
    """Jobs as the interface says them."""
    return [answer_of(roots, entry) for entry in entries]
