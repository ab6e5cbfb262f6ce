"""What a run says as it goes: `log.txt` for people, `metrics.jsonl` for curves."""

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from icelens.core.events import Event, Message, Metrics, OnEvent, Progress, Saved
from icelens.jobs.record import Record, now

LOG_NAME = "log.txt"
METRICS_NAME = "metrics.jsonl"


class Journal:
    """Append events to the files of a run's folder and note them in its record."""

    def __init__(self, folder: Path, record: Record) -> None:
        """Open both files at their end, so that a resumed run continues them."""
        self._folder = folder
        self._record = record
        self._log = (folder / LOG_NAME).open("a", encoding="utf-8", buffering=1)
        self._metrics = (folder / METRICS_NAME).open("a", encoding="utf-8", buffering=1)
        self._stage = ""

    def write(self, level: str, text: str) -> None:
        """Add a line to the log."""
        self._log.write(f"{now()} {level.upper():7} {text.rstrip()}\n")

    def listen(self, event: Event) -> None:
        """Store one event."""
        if isinstance(event, Metrics):
            if event.part:
                return  # steps of several parts would mix; each part keeps its own file
            values = {name: _number(value) for name, value in event.values.items()}
            self._metrics.write(json.dumps({"step": event.step, **values}) + "\n")
        elif isinstance(event, Message):
            self.write(event.level, event.text)
        elif isinstance(event, Saved):
            self._note_output(event)
        else:
            self._note_progress(event)

    def tee(self, on_event: OnEvent) -> OnEvent:
        """A listener that stores an event and then passes it on."""

        def both(event: Event) -> None:
            self.listen(event)
            on_event(event)

        return both

    def _note_output(self, event: Saved) -> None:
        path = event.path
        shown = path.relative_to(self._folder) if path.is_relative_to(self._folder) else path
        output = {"path": str(shown), "kind": event.kind}
        outputs = self._record.content["outputs"]
        if output not in outputs:
            self._record.note(outputs=[*outputs, output])
            self.write("info", f"saved {event.kind} {shown}")

    def _note_progress(self, event: Progress) -> None:
        if event.stage != self._stage:
            self._stage = event.stage
            self.write("info", f"{event.stage}: {event.total} {event.unit}(s)")
        progress = {"stage": event.stage, "done": event.done, "total": event.total}
        self._record.note(progress=progress)

    def __enter__(self) -> Self:
        """Keep the files open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both files; a file with no metrics is not left behind."""
        self._log.close()
        self._metrics.close()
        path = self._folder / METRICS_NAME
        if path.stat().st_size == 0:
            path.unlink()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The metrics of a run, one row for each step, in order.

    A run that was killed and resumed did some steps twice; the later row counts. A last line that
    was cut by the kill is left out.
    """
    path = folder / METRICS_NAME
    rows: dict[int, dict[str, Any]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            rows[int(row["step"])] = {**rows.get(int(row["step"]), {}), **row}
    return [rows[step] for step in sorted(rows)]


def _number(value: float) -> float | None:
    """JSON has no infinity and no NaN."""
    return float(value) if math.isfinite(value) else None
