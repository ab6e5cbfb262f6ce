"""Plain records of progress: computation emits them, jobs show and store them.

A function that takes long accepts `on_event: OnEvent` and calls it; it never prints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Progress:
    """Something countable moved on: `done` of `total` steps of `stage`."""

    stage: str
    done: int
    total: int
    unit: str = "step"


@dataclass(frozen=True)
class Metrics:
    """Numbers at a training step; appended to `metrics.jsonl`."""

    step: int
    values: Mapping[str, float] = field(default_factory=dict)
    part: str = ""
    """Part of the run that counts its own steps, such as `fold 2`; it keeps its own file."""


@dataclass(frozen=True)
class Message:
    """A sentence for the log; `level` is `info` or `warning`."""

    text: str
    level: str = "info"


@dataclass(frozen=True)
class Saved:
    """A file that now exists, complete; `kind` says what it is (checkpoint, volume, picture)."""

    path: Path
    kind: str


Event = Progress | Metrics | Message | Saved
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Drop an event: the listener of those who do not listen."""
    del event
