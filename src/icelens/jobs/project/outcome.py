"""How a job stands, told from the files it left: its own record and that of its supervisor."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icelens.core.io.plain_file import open_plain
from icelens.jobs.project.attempt import ERR_NAME, Attempt, process_born, read_json
from icelens.jobs.project.entry import State
from icelens.jobs.project.remedies import remedy_for
from icelens.jobs.record import RECORD_NAME
from icelens.jobs.run import WORKERS_FOLDER

SILENT_SECONDS = 40.0
"""A job that gave no sign of life for so long is taken for dead."""
LOST = "the process ended without a word (killed, or its machine went down)"
STOPPED_BY_USER = "stopped by the user"
_SIGKILL, _INTERRUPTED = 9, 130


@dataclass(frozen=True)
class Outcome:
    """How a job stands or ended."""

    state: State
    cause: str = ""
    remedy: str = ""
    ended: str = ""
    progress: Mapping[str, Any] | None = None
    beat: str = ""
    """Changes while the job lives."""


def running_record(folder: Path, since: str) -> Mapping[str, Any] | None:
    """The record that a run which began at `since` or later keeps in its folder, if any yet."""
    paths = [folder / RECORD_NAME]
    if (folder / WORKERS_FOLDER).is_dir():
        paths += sorted((folder / WORKERS_FOLDER).glob(f"*/{RECORD_NAME}"))
    found = [record for path in paths if (record := read_json(path)) is not None]
    fresh = [record for record in found if str(record.get("started", "")) >= since]
    return max(fresh, key=lambda record: str(record.get("started", "")), default=None)


def supervised_outcome(folder: Path, control: Path, attempt: Attempt) -> Outcome:
    """How an attempt of the queue stands."""
    record = running_record(folder, attempt.started)
    progress = record.get("progress") if record else None
    beat = f"{attempt.beat} {record.get('heartbeat', '') if record else ''}"
    code = attempt.exit_code
    if code is None:
        if attempt.host == socket.gethostname() and process_born(attempt.pid) != attempt.born:
            return lost(progress)
        return Outcome("running", progress=progress, beat=beat)
    state = str(record.get("state", "")) if record else ""
    cause = str(record.get("cause", "")) if record else ""
    if code == 0:
        ended: State = "stopped" if state == "stopped" else "done"
        return _ended(ended, cause if ended == "stopped" else "", attempt, progress)
    if attempt.is_cancelled or code == _INTERRUPTED or state == "stopped":
        return _ended("stopped", cause or STOPPED_BY_USER, attempt, progress)
    if code < 0:
        how = "killed by the system" if -code == _SIGKILL else f"ended by signal {-code}"
        memory = ", most often because memory ran out" if -code == _SIGKILL else ""
        return _ended("failed", f"{how}{memory}", attempt, progress)
    said = cause if state == "failed" and cause else last_error(control / ERR_NAME)
    return _ended("failed", said or f"ended with exit code {code}", attempt, progress)


def recorded_outcome(folder: Path, since: str) -> Outcome | None:
    """How a run that was started from the command line stands; None if its folder is gone."""
    record = running_record(folder, since)
    if record is None:
        return None
    progress, beat = record.get("progress"), str(record.get("heartbeat", ""))
    state = record.get("state")
    if state not in ("stopped", "failed", "done"):
        return Outcome("running", progress=progress, beat=beat)
    cause = str(record.get("cause", ""))
    remedy = remedy_for(cause) if state == "failed" else ""
    return Outcome(state, cause, remedy, str(record.get("ended", "")), progress, beat)


def lost(progress: Mapping[str, Any] | None = None) -> Outcome:
    """Of a process that is gone and said nothing."""
    return Outcome("failed", LOST, remedy_for(LOST), progress=progress)


def last_error(path: Path) -> str:
    """The last lines that the command line said, without its name; of a traceback the last line."""
    lines = tail(path, 16_384).splitlines()
    said = [line.removeprefix("icelens: ") for line in lines if line.startswith("icelens: ")]
    rest = [line for line in lines if line.strip()]
    return "\n".join(said[-5:]) if said else (rest[-1] if rest else "")


def tail(path: Path, size: int) -> str:
    """The end of a text file, from the start of a line, without reading the rest."""
    try:
        with open_plain(path) as file:
            length = file.seek(0, 2)
            file.seek(max(0, length - size))
            content = file.read(size)
    except OSError:
        return ""
    if length > size:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", errors="replace")


def _ended(
    state: State, cause: str, attempt: Attempt, progress: Mapping[str, Any] | None
) -> Outcome:
    remedy = remedy_for(cause) if state == "failed" else ""
    return Outcome(state, cause, remedy, attempt.ended, progress)
