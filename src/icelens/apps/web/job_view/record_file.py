"""The record of a job's run as pages use it: whatever is missing or damaged counts as not said."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.core.io.plain_file import open_plain
from icelens.core.io.plain_json import parse_json
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.outcome import running_record
from icelens.jobs.record import RECORD_NAME

MOST_BYTES = 16 * 2**20
_MOST_DEPTH = 12


@dataclass(frozen=True)
class RecordFile:
    """What `run.json` of a job says.

    Attributes:
        folder: Of the run, links resolved; None if the workbench may not look there.
        content: Empty where there is no record.
        trouble: Why there is nothing to show, in one line; empty if all is well.
    """

    folder: Path | None
    content: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of the record with all values as text."""
        found = self.content.get(name)
        if not isinstance(found, Mapping):
            return {}
        return {str(key): _text(value) for key, value in list(found.items())[:100]}

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """A list of mappings of the record, such as `inputs`."""
        found = self.content.get(name)
        return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []

    def words(self, name: str) -> list[str]:
        """A list of texts of the record, such as `citations`."""
        found = self.content.get(name)
        return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []

    def text(self, name: str) -> str:
        """A text of the record."""
        found = self.content.get(name)
        return found if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """A number of the record."""
        return finite_number(self.content.get(name))


def read_record_file(roots: Roots, entry: Entry) -> RecordFile:
    """The record of a job's run; says what is wrong instead of failing."""
    if not entry.folder:
        return RecordFile(None)
    try:
        folder = roots.resolve(entry.folder)
        path = roots.resolve(str(folder / RECORD_NAME))
    except OutsideRootsError as error:
        return RecordFile(None, trouble=str(error))
    if not folder.is_dir():
        return RecordFile(folder, trouble=_missing(entry))
    if not path.is_file():
        # of an output that several processes share, each has its own record
        shared = running_record(folder, "")
        return RecordFile(folder, shared or {})
    try:
        content = _read(path)
    except (OSError, ValueError):
        return RecordFile(folder, trouble=f"{entry.folder}/{RECORD_NAME}: is damaged")
    if content.get("job", entry.job) != entry.job:
        return RecordFile(folder, trouble=f"{entry.folder}: now holds a run of another job")
    return RecordFile(folder, content)


def finite_number(value: object) -> float | None:
    """A number as such; None if it is none that JSON can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def as_json(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - JSON is of any type
    """A value of a file as JSON can hold it: what is not finite or too deep becomes null."""
    if depth > _MOST_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {str(key): as_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, depth + 1) for item in value]
    if isinstance(value, float):
        return finite_number(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _read(path: Path) -> Mapping[str, Any]:
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise ValueError("larger than any record")
        content = parse_json(file.read())
    if not isinstance(content, dict):
        raise ValueError("no mapping")
    return content


def _missing(entry: Entry) -> str:
    if entry.state in ("draft", "queued", "waiting"):
        return ""
    if entry.origin == "queue" and entry.state in ("running", "failed", "stopped"):
        return ""  # it may never have come as far as making its folder
    if entry.removed:
        return f"{entry.folder}: its files are in the trash; put the job back to see them"
    return f"{entry.folder}: the folder is gone; run the job again for its results"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value[:20])
    return str(value)
