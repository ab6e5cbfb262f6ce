"""Show a run's events: a live bar with rate and remaining time, or plain lines now and then."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)

from icelens.core.events import Event, Message, Metrics, Progress, Saved
from icelens.jobs.report import duration

PLAIN_SECONDS = 5.0
"""At most one plain line of progress in this time, so that a log file stays readable."""


class Display:
    """Listen to events and show them; use as a context manager."""

    def __init__(
        self, file: IO[str] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show on `file`, standard error by default; live only if that is a terminal."""
        self._console = Console(file=file or sys.stderr, highlight=False, soft_wrap=True)
        self._clock = clock
        self._bars: Bars | None = None
        if self._console.is_terminal:
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[metrics]}"),
                console=self._console,
            )
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}
        self._printed = float("-inf")
        self._metrics = ""

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Metrics):
            self._metrics = _most_telling(event)
        elif isinstance(event, Message):
            prefix = "warning: " if event.level == "warning" else ""
            self._line(prefix + event.text)
        else:
            self._line(f"saved {event.kind}: {_short(event)}")

    def _progress(self, event: Progress) -> None:
        # A resumed run starts in the middle: only what was done since is counted.
        started, first = self._started.setdefault(event.stage, (self._clock(), event.done))
        per_second = _per_second(event.done - first, self._clock() - started)
        rate = _rate(per_second, event.unit)
        if self._bars is not None:
            if event.stage not in self._tasks:
                self._tasks[event.stage] = self._bars.add_task(
                    event.stage, total=None, rate="", metrics=""
                )
            task = self._tasks[event.stage]
            self._bars.update(
                task, completed=event.done, total=event.total, rate=rate, metrics=self._metrics
            )
        elif event.done >= event.total or self._clock() - self._printed >= PLAIN_SECONDS:
            self._printed = self._clock()
            self._line(_plain(event, per_second, rate, self._metrics))
        if event.done >= event.total:
            # The last loss of a training is none of what is read or counted after it.
            self._metrics = ""

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False)

    def __enter__(self) -> Self:
        """Start the live display, if there is one."""
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if self._bars is not None:
            self._bars.stop()


def _plain(event: Progress, per_second: float, rate: str, metrics: str) -> str:
    words = [f"{event.stage}: {event.done}/{event.total} {event.unit}s"]
    words += [rate] if rate else []
    if per_second > 0 and event.done < event.total:
        words.append(f"{duration((event.total - event.done) / per_second)} left")
    words += [metrics] if metrics else []
    return ", ".join(words)


def _per_second(done: int, elapsed: float) -> float:
    """Speed, or 0 where it is too early to tell."""
    return done / elapsed if done > 0 and elapsed >= 0.5 else 0.0


def _rate(per_second: float, unit: str) -> str:
    """Speed in units a person can picture."""
    if per_second <= 0:
        return ""
    if per_second >= 1:
        return f"{per_second:.3g} {unit}/s"
    return f"{1 / per_second:.3g} s/{unit}"


def _most_telling(event: Metrics) -> str:
    """The loss, or else the first number."""
    if not event.values:
        return ""
    name = "loss" if "loss" in event.values else next(iter(event.values))
    return f"{name} {event.values[name]:.4g}"


def _short(event: Saved) -> str:
    """The path relative to where the user stands, if it is below."""
    path, here = event.path.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(event.path)
