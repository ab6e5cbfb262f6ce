"""A job as the project knows it: what was asked, where it stands, how it ended."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

State = Literal["draft", "queued", "waiting", "running", "stopped", "failed", "done"]
STATES: tuple[State, ...] = get_args(State)
Origin = Literal["queue", "command line"]
PENDING: tuple[State, ...] = ("queued", "waiting")
ENDED: tuple[State, ...] = ("stopped", "failed", "done")


@dataclass(frozen=True)
class Entry:
    """One job of a project.

    Attributes:
        number: Given once, never again; shown as `J7`.
        job: `task.job`, as in `restore.refine`.
        title: What the user calls it.
        cause: Why it stopped, failed or waits.
        remedy: What can be done about that.
        settings: JSON form of its Config; paths in the project are relative to it.
        folder: Of the run and its files, relative to the project where it lies in it.
        variables: For the script of a cluster lane, such as `time`.
        after: Numbers of the jobs that have to be done before.
        attempt: How often it was started.
        tasks: Parts it is run in by a cluster; 0 where it runs as one.
        external_id: Of the cluster's scheduler.
        is_handed_in: Whether a process was started for it, or a cluster asked for one.
        progress: `stage`, `done`, `total`; None before it said anything.
        removed: When it went to the trash.
    """

    number: int
    job: str
    title: str
    state: State
    cause: str
    remedy: str
    settings: Mapping[str, Any]
    folder: str
    lane: str
    variables: Mapping[str, Any]
    priority: int
    after: tuple[int, ...]
    run_now: bool
    is_cancelling: bool
    origin: Origin
    created: str
    started: str | None
    ended: str | None
    removed: str | None
    attempt: int
    tasks: int
    external_id: str
    progress: Mapping[str, Any] | None
    revision: int
    is_handed_in: bool = False

    @property
    def task(self) -> str:
        """The capability the job belongs to."""
        return self.job.partition(".")[0]

    @property
    def name(self) -> str:
        """`J7`."""
        return f"J{self.number}"


COLUMNS = (
    "jobs.*, (SELECT group_concat(after) FROM waits WHERE waits.number = jobs.number) AS after"
)


def entry_of(row: sqlite3.Row) -> Entry:
    """The entry of a row of `COLUMNS`."""
    after = row["after"]
    return Entry(
        number=row["number"],
        job=row["job"],
        title=row["title"],
        state=row["state"],
        cause=row["cause"],
        remedy=row["remedy"],
        settings=json.loads(row["settings"]),
        folder=row["folder"],
        lane=row["lane"],
        variables=json.loads(row["variables"]),
        priority=row["priority"],
        after=tuple(sorted(int(number) for number in after.split(","))) if after else (),
        run_now=bool(row["run_now"]),
        is_cancelling=bool(row["is_cancelling"]),
        origin=row["origin"],
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        removed=row["removed"],
        attempt=row["attempt"],
        tasks=row["tasks"],
        external_id=row["external_id"],
        is_handed_in=row["launched"] > 0,
        progress=json.loads(row["progress"]) if row["progress"] else None,
        revision=row["revision"],
    )
