"""How jobs started from the command line come into the project: each leaves a note of its folder.

They do not touch the database, because it may lie on a file server that this machine must not
lock; whoever looks at the queue next takes the notes in.
"""

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path

from icelens.core.io.atomic import atomic_path
from icelens.jobs.project.attempt import read_json
from icelens.jobs.project.project import DATABASE_NAME, HIDDEN_NAME, Project

QUEUED_VARIABLE = "ICELENS_JOB"
"""Set by the queue for its own jobs, which it knows already."""
_INBOX = "inbox"


def announce(folder: Path) -> None:
    """Tell the project that a run began in a folder; no trouble here may harm the run."""
    if QUEUED_VARIABLE in os.environ:
        return
    with suppress(OSError, Exception):
        place = _project_folder(folder) or _project_folder(Path.cwd())
        if place is not None:
            note = {"folder": str(folder.resolve())}
            path = place / HIDDEN_NAME / _INBOX / f"{uuid.uuid4().hex}.json"
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(note), encoding="utf-8")


def notes(project: Project) -> list[tuple[Path, Path]]:
    """Each note and the folder it names, oldest first; one that cannot be read is dropped."""
    found: list[tuple[float, Path, Path]] = []
    for path in (project.hidden / _INBOX).glob("[!.]*.json"):
        content = read_json(path)
        with suppress(OSError):
            if content is None or not isinstance(content.get("folder"), str):
                path.unlink()
            else:
                found.append((path.stat().st_mtime, path, Path(content["folder"])))
    return [(path, folder) for _, path, folder in sorted(found)]


def _project_folder(start: Path) -> Path | None:
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / DATABASE_NAME).is_file():
            return folder
    return None
