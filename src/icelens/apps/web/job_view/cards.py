"""A job in short: how long it took, how far it is, how long it may still take."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.core.io.plain_file import open_plain
from icelens.jobs.journal import LOG_NAME
from icelens.jobs.project.attempt import read_json
from icelens.jobs.project.entry import Entry
from icelens.jobs.report import duration

_END_BYTES = 2**16
_SHORTEST = 3.0
"""Seconds of a stage before its speed says anything."""


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        remaining: Seconds until the stage is over, as far as its speed tells.
    """

    stage: str
    done: int
    total: int
    remaining: float | None = None

    @property
    def percent(self) -> float:
        """Of the stage, 0 to 100."""
        return min(100.0, 100.0 * self.done / self.total) if self.total > 0 else 0.0

    @property
    def sentence(self) -> str:
        """`training 120 / 400, about 4 min left`."""
        counted = f"{self.stage} {self.done} / {self.total}"
        if self.remaining is None:
            return counted
        return f"{counted}, about {_rough(self.remaining)} left"


@dataclass(frozen=True)
class Card:
    """A job as lists show it."""

    entry: Entry
    progress: Progress | None
    seconds: float | None

    @property
    def cause(self) -> str:
        """First line of why it stopped, failed or waits."""
        return self.entry.cause.strip().partition("\n")[0][:300]

    @property
    def words(self) -> str:
        """Its state in words; a job that was asked to stop is not yet stopped."""
        return "stopping" if self.entry.is_cancelling else self.entry.state


def card_of(roots: Roots, entry: Entry) -> Card:
    """The card of a job."""
    return Card(entry, progress_of(roots, entry), seconds_of(entry))


def seconds_of(entry: Entry) -> float | None:
    """How long a job ran, or has been running."""
    started = when(entry.started)
    if started is None:
        return None
    ended = when(entry.ended) or (datetime.now(UTC) if entry.state == "running" else None)
    return max(0.0, (ended - started).total_seconds()) if ended else None


def when(text: str | None) -> datetime | None:
    """A time of the queue; None if it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def progress_of(roots: Roots, entry: Entry) -> Progress | None:
    """How far a job is; remaining time only while it runs."""
    said = entry.progress if isinstance(entry.progress, Mapping) else {}
    done, total = _count(said.get("done")), _count(said.get("total"))
    if done is None or not total:
        return None
    stage = str(said.get("stage", ""))[:80]
    remaining = _remaining(roots, entry, stage, done, total) if entry.state == "running" else None
    return Progress(stage, done, total, remaining)


def _remaining(roots: Roots, entry: Entry, stage: str, done: int, total: int) -> float | None:
    """From the speed since the log said that the stage began."""
    try:
        log = roots.resolve(f"{entry.folder}/{LOG_NAME}")
    except OutsideRootsError:
        return None
    began = _stage_began(log, stage, total)
    if began is None:
        return None
    elapsed = (datetime.now(UTC) - began).total_seconds()
    since = done - _done_before(log.parent, stage, total)
    if elapsed < _SHORTEST or since <= 0:
        return None
    return max(0.0, (total - done) * elapsed / since)


def _stage_began(log: Path, stage: str, total: int) -> datetime | None:
    try:
        with open_plain(log) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _END_BYTES))
            text = file.read(_END_BYTES).decode(errors="replace")
    except OSError:
        return None
    pattern = rf"(?m)^(\S+) INFO +{re.escape(stage)}: {total} "
    found = re.findall(pattern, text)
    return when(found[-1]) if found else None


def _done_before(folder: Path, stage: str, total: int) -> int:
    """What earlier attempts had done of the same stage; a resumed run starts there."""
    best = 0
    # by length first: run-10 comes after run-9
    paths = sorted(folder.glob("run-*.json"), key=lambda path: (len(path.name), path.name))
    for path in paths[-3:]:
        progress = (read_json(path) or {}).get("progress")
        if isinstance(progress, Mapping) and progress.get("stage") == stage:
            done = _count(progress.get("done"))
            best = max(best, done or 0) if progress.get("total") == total else best
    return best


def _count(value: Any) -> int | None:  # noqa: ANN401 - of a file
    return value if type(value) is int and 0 <= value < 2**53 else None


def _rough(seconds: float) -> str:
    """Nobody believes in the seconds of a remaining hour."""
    if seconds >= 36000:
        return f"{seconds / 3600:.0f} h"
    return duration(round(seconds / 60) * 60).removesuffix(" 0 s") if seconds >= 600 else (
        duration(seconds)
    )  # fmt: skip
