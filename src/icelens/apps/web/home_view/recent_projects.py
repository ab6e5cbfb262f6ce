"""Projects opened lately, in `~/.config/icelens/projects.json`; a damaged file counts as none."""

import json
import os
from contextlib import suppress
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.project.project import DATABASE_NAME
from icelens.jobs.record import write_json

MOST = 20
_MOST_BYTES = 2**20


def recent_path() -> Path:
    """Where the list is kept, for this user on this machine."""
    configuration = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(configuration) if configuration.startswith("/") else Path.home() / ".config"
    return folder / "icelens" / "projects.json"


def recent_projects() -> list[Path]:
    """Folders of projects, the latest first; those that are gone are left out."""
    return [folder for folder in _read() if _is_project(folder)]


def remember_project(folder: Path) -> None:
    """Put a project on top of the list; that this fails must not keep anybody from working."""
    folders = [folder, *(each for each in _read() if each != folder)][:MOST]
    path = recent_path()
    with suppress(IcelensError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"projects": [str(each) for each in folders]})


def _read() -> list[Path]:
    path = recent_path()
    try:
        if path.stat().st_size > _MOST_BYTES:
            return []
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    found = content.get("projects") if isinstance(content, dict) else None
    if not isinstance(found, list):
        return []
    texts = [text for text in found if isinstance(text, str) and text.startswith("/")]
    return [Path(text) for text in dict.fromkeys(texts) if "\0" not in text][:MOST]


def _is_project(folder: Path) -> bool:
    try:
        return (folder / DATABASE_NAME).is_file()
    except OSError:
        return False
