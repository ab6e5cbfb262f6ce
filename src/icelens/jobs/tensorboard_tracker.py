"""Write metrics as TensorBoard's event files, without TensorFlow and without torch."""

import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from icelens.core.events import Metrics
from icelens.jobs.record import State

TENSORBOARD_NAME = "tensorboard"
WRITE_SECONDS = 5.0
"""Curves grow at most once in this time: small writes are slow on network disks."""


class TensorBoard:
    """Curves in `<folder>/tensorboard`; those of a part, such as a fold, in a folder below.

    `tensorboard --logdir FOLDER` shows one run or, given a folder of runs, compares them.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; what an earlier process wrote in the folder is continued.

        Raises:
            OSError: If the folder cannot be made.
        """
        self._folder = folder / TENSORBOARD_NAME
        self._folder.mkdir(exist_ok=True)
        self._clock = clock
        self._written = clock()
        self._files: dict[str, _EventFile] = {}

    def log(self, event: Metrics) -> None:
        """Take the numbers of one step.

        Raises:
            OSError: If they cannot be written.
        """
        if event.part not in self._files:
            folder = self._folder / re.sub(r"[^\w.-]+", "_", event.part)
            self._files[event.part] = _EventFile(folder)
        self._files[event.part].add(event)
        if self._clock() - self._written >= WRITE_SECONDS:
            self._write()

    def close(self, state: State) -> None:
        """Write what is left.

        Raises:
            OSError: If it cannot be written.
        """
        del state  # event files have no word for it
        self._write()

    def _write(self) -> None:
        for file in self._files.values():
            file.write()
        self._written = self._clock()


class _EventFile:
    """One event file; it is open only while it is written.

    TensorBoard's own `EventFileWriter` is left aside: it writes in a thread, which would print a
    traceback where the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = event_pb2, summary_pb2
        # TensorBoard reads the files of a folder in the order of their names, hence the time.
        stamp = f"{int(time.time()):010d}.icelens.{os.getpid()}"
        self._path = folder / f"events.out.tfevents.{stamp}"
        self._waiting = io.BytesIO()
        self._records = RecordWriter(self._waiting)
        self._step: int | None = None
        self._put(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, event: Metrics) -> None:
        """Keep the numbers of a step until they are written."""
        if self._step is None or event.step < self._step:
            # Steps that are done again, after a kill or a roll-back, replace those of before.
            start = self._event.SessionLog(status=self._event.SessionLog.START)
            self._put(self._event.Event(wall_time=time.time(), step=event.step, session_log=start))
        self._step = event.step
        values = [
            self._summary.Summary.Value(tag=name, simple_value=float(value))
            for name, value in event.values.items()
        ]
        summary = self._summary.Summary(value=values)
        self._put(self._event.Event(wall_time=time.time(), step=event.step, summary=summary))

    def write(self) -> None:
        """Append what was kept."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(self._waiting.getvalue())
        self._waiting.seek(0)
        self._waiting.truncate()

    def _put(self, event: object) -> None:
        self._records.write(event.SerializeToString())  # type: ignore[attr-defined]
