"""Write down what an attempt shall run, and start it on this machine."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from icelens.jobs.project.attempt import SETTINGS_NAME, cancel_path, launch_path
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.inbox import QUEUED_VARIABLE
from icelens.jobs.project.project import Project
from icelens.jobs.project.sharing import shares
from icelens.jobs.record import read_record, write_json
from icelens.jobs.registry import find_job
from icelens.jobs.validation import as_yaml, make_config

_UP = "../../.."
"""From the folder of a job's control to the project's."""


def prepare(project: Project, entry: Entry, attempt: int, environment: Mapping[str, str]) -> Path:
    """Write the files of an attempt; return the folder they lie in.

    Args:
        project: Where the job belongs.
        entry: The job.
        attempt: Number of the attempt.
        environment: Variables of its lane.
    """
    control = project.control(entry.number)
    job = find_job(entry.job)
    control.mkdir(parents=True, exist_ok=True)
    config = make_config(job.config_type, entry.settings)
    (control / SETTINGS_NAME).write_text(as_yaml(job, config), encoding="utf-8")
    settings = (control / SETTINGS_NAME).relative_to(project.folder).as_posix()
    command = [
        "{python}", "-m", "icelens.apps.cli", job.task, job.command, "--config", settings,
        *resume_words(project.absolute(entry.folder), is_resumable=job.resumable),
    ]  # fmt: skip
    write_json(
        launch_path(control, attempt),
        {
            "command": command,
            "tasks": _tasks(project, entry),
            "working_directory": _UP,
            "environment": {**environment, QUEUED_VARIABLE: entry.name},
        },
    )
    cancel_path(control, attempt).unlink(missing_ok=True)
    return control


def _tasks(project: Project, entry: Entry) -> list[list[str]]:
    """Words that each task of an array adds; one that was stopped goes on."""
    job = find_job(entry.job)
    return [
        [
            *(word for name, value in share.items() for word in (f"--{name}", value)),
            *resume_words(project.absolute(share.get("output", "")), is_resumable=job.resumable),
        ]
        for share in (shares(job, entry.settings, entry.folder, entry.tasks) if entry.tasks else ())
    ]


def resume_words(folder: Path, *, is_resumable: bool) -> list[str]:
    """`--resume` where there is something to go on from."""
    record = read_record(folder)
    if not is_resumable or record is None:
        return []
    has_begun = record.get("state") != "failed" or any(folder.glob("*.safetensors"))
    return ["--resume"] if has_begun else []


def supervisor_command(control: Path, attempt: int) -> list[str]:
    """The words that run an attempt."""
    return [sys.executable, "-m", "icelens.jobs.project.supervisor", str(control), str(attempt)]


def start_here(control: Path, attempt: int) -> int:
    """Start an attempt on this machine; return its process."""
    return _spawn(supervisor_command(control, attempt))


def ensure_dispatcher(project: Project) -> int:
    """See that someone starts what is queued; a process that finds another at it ends at once."""
    words = ["-m", "icelens.apps.cli", "jobs", "dispatch", "--project", str(project.folder)]
    return _spawn([sys.executable, *words])


def reaped(pids: Iterable[int]) -> list[int]:
    """Those processes of ours that live; the others are taken from the system's table."""
    alive = []
    for pid in pids:
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                alive.append(pid)
    return alive


def _spawn(command: Sequence[str]) -> int:
    """Start a process in a session of its own, so that nothing that happens here reaches it."""
    nowhere = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    return os.posix_spawn(command[0], list(command), os.environ, file_actions=nowhere, setsid=True)
