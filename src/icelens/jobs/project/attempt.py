"""What a job of the queue and the queue leave for each other in files, on any file system.

The folder `.icelens/control/0007` of job 7 holds `settings.yaml`, `launch-2.json` (what its second
attempt shall run), `attempt-2.json` (who runs it, its heartbeat and end), `cancel-2` (a request),
`out.txt` and `err.txt`. Each file has one writer; only `attempt-2.json` has two candidates, and
whoever creates it owns the attempt: that is why nothing is run twice.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import read_plain
from icelens.core.io.plain_json import parse_json

SETTINGS_NAME = "settings.yaml"
MOST_BYTES = 64 * 2**20
OUT_NAME = "out.txt"
ERR_NAME = "err.txt"


@dataclass(frozen=True)
class Attempt:
    """What `attempt-N.json` says.

    Attributes:
        host: Machine that runs it; empty if the attempt was given up before anyone took it.
        pid: Of the supervisor.
        born: When that process began, in ticks since the machine did; tells it from a later one.
        beat: Counts up while it lives.
        exit_code: Of the job; negative for a signal, None while it runs.
        is_cancelled: Whether it was asked to stop.
    """

    host: str = ""
    pid: int = 0
    born: str = ""
    started: str = ""
    ended: str = ""
    beat: int = 0
    exit_code: int | None = None
    is_cancelled: bool = False


def attempt_path(control: Path, number: int, task: int | None = None) -> Path:
    """Where an attempt, or one task of an array, is written down."""
    return control / f"attempt-{_key(number, task)}.json"


def launch_path(control: Path, number: int) -> Path:
    """Where an attempt finds what it shall run."""
    return control / f"launch-{number}.json"


def cancel_path(control: Path, number: int) -> Path:
    """A file that asks an attempt to stop."""
    return control / f"cancel-{number}"


def output_names(task: int | None) -> tuple[str, str]:
    """Names of the files of what is printed, and of errors."""
    return (OUT_NAME, ERR_NAME) if task is None else (f"out-{task}.txt", f"err-{task}.txt")


def claim(path: Path, attempt: Attempt) -> bool:
    """Create an attempt's file, if nobody else did."""
    content = json.dumps(asdict(attempt)).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return True


def write_attempt(path: Path, attempt: Attempt) -> None:
    """Replace an attempt's file; only its owner does."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(attempt)), encoding="utf-8")


def read_attempt(path: Path) -> Attempt | None:
    """What an attempt says of itself; None before anyone took it."""
    content = read_json(path)
    if content is None:
        # whoever took it died between making and filling the file, or is about to fill it
        return Attempt(host="?") if path.exists() else None
    known = {name: content[name] for name in Attempt.__dataclass_fields__ if name in content}
    return Attempt(**known)


def read_json(path: Path) -> Mapping[str, Any] | None:
    """A JSON mapping; None if there is none, or it is damaged."""
    try:
        content = parse_json(read_plain(path, MOST_BYTES))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def process_born(pid: int) -> str:
    """When a process of this machine began; empty if it is gone, or a zombie."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else words[19]


def _key(number: int, task: int | None) -> str:
    return str(number) if task is None else f"{number}-{task}"
