"""Jobs that were started from a terminal, or brought along, told from their folders."""

import os
import signal
from pathlib import Path
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.lock import holder
from icelens.jobs.project import changes
from icelens.jobs.project.outcome import recorded_outcome
from icelens.jobs.project.project import HIDDEN_NAME, Project
from icelens.jobs.project.settings_paths import portable
from icelens.jobs.record import RECORD_NAME, now, read_record
from icelens.jobs.registry import find_job

_DEPTH = 4


def take_in(project: Project, folder: Path) -> int | None:
    """Add the run in a folder to the project, or bring its job up to date; return its number.

    A folder that was begun anew is a job of its own again; what runs there is not lost track of.
    """
    folder = project.absolute(folder)
    try:
        record = read_record(folder)
    except IcelensError:
        return None
    if record is None or not isinstance(record.get("job"), str):
        return None
    values = _values(project, folder, record)
    with project.connection(is_write=True) as connection:
        row = connection.execute(
            "SELECT number, started FROM jobs WHERE folder = ? AND job = ? AND removed IS NULL "
            "ORDER BY number DESC LIMIT 1",
            (values["folder"], values["job"]),
        ).fetchone()
        if row is None:
            return changes.insert(connection, {**values, "created": record.get("started", now())})
        if (row["started"] or "") < str(values["started"]):
            changes.update(connection, row["number"], {**values, "beat_seen": 0})
        return int(row["number"])


def take_in_all(project: Project) -> int:
    """Add every run that lies in the project, some folders deep; return how many were found."""
    found = 0
    for depth in range(_DEPTH):
        for path in sorted(project.folder.glob("*/" * depth + RECORD_NAME)):
            if HIDDEN_NAME not in path.parts and take_in(project, path.parent) is not None:
                found += 1
    return found


def interrupt(folder: Path) -> bool:
    """Ask a run that a terminal of this machine started to stop, as Ctrl-C does.

    Returns:
        Whether there is one: a process that holds the folder's lock, is ours, and runs icelens.
    """
    pid = holder(folder)
    if pid is None:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"icelens" not in command:
            return False
        os.kill(pid, signal.SIGINT)
    except OSError:
        return False
    return True


def _values(project: Project, folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    name, settings = str(record["job"]), dict(record["config"])
    title = name.replace(".", " ")
    try:
        base = Path(str(record.get("working_directory", project.folder)))
        settings = portable(project, find_job(name), settings, base)
    except IcelensError:
        pass  # a job of another icelens, or of a package that is not installed here
    started = str(record.get("started", now()))
    outcome = recorded_outcome(folder, "")
    return {
        "job": name,
        "task": name.partition(".")[0],
        "title": title,
        "state": outcome.state if outcome else "running",
        "cause": outcome.cause if outcome else "",
        "remedy": outcome.remedy if outcome else "",
        "settings": settings,
        "folder": project.relative(folder),
        "origin": "command line",
        "started": started,
        "ended": (outcome.ended or None) if outcome else None,
        "progress": dict(outcome.progress) if outcome and outcome.progress else "",
    }
