"""A part of a longer job, such as a fold or a trial, with a folder and a page of its own."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from icelens.core.events import Event, Message, Metrics, OnEvent, Progress, ignore
from icelens.jobs.journal import METRICS_NAME
from icelens.jobs.report import REPORT_NAME, write_page
from icelens.jobs.run import Run, is_follower


@contextmanager
def part_of(
    run: Run, folder: Path, name: str, *, resume: bool, listen: OnEvent = ignore
) -> Iterator[Run]:
    """Give a part its own Run; its metrics and its report stay in `folder`.

    What it says reaches the whole run under the part's name; metrics are marked with it, as the
    steps of several parts would mix.

    Args:
        run: Of the whole job.
        folder: Of the part; made if need be.
        name: Such as `fold 2`.
        resume: Continue what the folder holds.
        listen: Hears every event of the part, last; what it raises ends the part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / METRICS_NAME
    if not resume and not is_follower():
        path.unlink(missing_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as metrics:

        def pass_on(event: Event) -> None:
            _tell(run.on_event, metrics, event, name)
            listen(event)

        part = Run(folder, pass_on, resume=resume, inputs=run.inputs, citations=run.citations)
        yield part
    if part.report.parts and not is_follower():
        write_page(folder / REPORT_NAME, name, part.report.parts)


def _tell(on_event: OnEvent, metrics: TextIO, event: Event, name: str) -> None:
    if isinstance(event, Metrics):
        values = {key: value for key, value in event.values.items() if math.isfinite(value)}
        metrics.write(json.dumps({"step": event.step, **values}) + "\n")
        on_event(replace(event, part=name))  # trackers draw the parts apart
    elif isinstance(event, Message):
        on_event(Message(f"{name}: {event.text}", event.level))
    elif isinstance(event, Progress):
        on_event(Progress(f"{name}: {event.stage}", event.done, event.total, event.unit))
    else:
        on_event(event)
