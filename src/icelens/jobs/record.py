"""`run.json`: what a run is, was made with and came to, kept true while the run lives."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import read_plain
from icelens.core.io.plain_json import parse_json

State = Literal["running", "done", "failed", "stopped"]
RECORD_NAME = "run.json"
HEARTBEAT_SECONDS = 10.0
MOST_BYTES = 64 * 2**20
KILLED = "the process ended without a word (killed, or the machine went down)"


class Record:
    """The content of `run.json`; inside a `with` block a thread renews its heartbeat."""

    def __init__(self, folder: Path, content: Mapping[str, Any]) -> None:
        """Begin a record; nothing is written before `update`."""
        self.path = folder / RECORD_NAME
        self._content = {"state": "running", "cause": "", "started": now(), **content}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)

    @property
    def content(self) -> dict[str, Any]:
        """A copy of what is recorded."""
        with self._lock:
            return dict(self._content)

    def note(self, **changes: object) -> None:
        """Change values; the next heartbeat writes them."""
        with self._lock:
            self._content.update(changes)

    def update(self, **changes: object) -> None:
        """Change values and write the file."""
        with self._lock:
            self._content.update(changes, heartbeat=now())
            write_json(self.path, self._content)

    def finish(self, state: State, cause: str = "") -> None:
        """Say how the run ended."""
        started = datetime.fromisoformat(self._content["started"])
        seconds = round((datetime.now(UTC) - started).total_seconds(), 1)
        self.update(state=state, cause=cause, ended=now(), seconds=seconds)

    def __enter__(self) -> Self:
        """Write the file and start the heartbeat."""
        self.update()
        self._pulse.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the heartbeat."""
        self._ended.set()
        self._pulse.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                self.update()
            except IcelensError:
                # A full disk must not end a run that may still succeed; the next beat tries again.
                continue


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically, readable by people."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of the last run in a folder, or None if there was none.

    Raises:
        InputFileError: If `run.json` is not a record.
    """
    path = folder / RECORD_NAME
    if not path.exists():
        return None
    try:
        content = parse_json(read_plain(path, MOST_BYTES))
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path}: cannot be read as JSON; move it away") from error
    if not isinstance(content, dict) or "config" not in content:
        raise InputFileError(f"{path}: expected a run's record with job and config; move it away")
    return content


def keep_as_history(folder: Path) -> None:
    """Rename the last run's record to `run-N.json`, the next free number.

    A record that still says `running` belongs to a process that was killed, because the caller
    holds the folder's lock.
    """
    last = read_record(folder)
    if last is None:
        return
    if last.get("state") == "running":
        write_json(folder / RECORD_NAME, {**last, "state": "stopped", "cause": KILLED})
    (folder / RECORD_NAME).rename(free_name(folder, "run", ".json"))


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """The first of `stem-1`, `stem-2`, ... that does not exist."""
    number = 1
    while (path := folder / f"{stem}-{number}{suffix}").exists():
        number += 1
    return path
