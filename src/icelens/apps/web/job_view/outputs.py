"""Files that a job wrote and files that it read, and what became of those since."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from icelens.apps.web.job_view.openers import View, kind_of, opening_commands, views_of
from icelens.apps.web.job_view.record_file import RecordFile
from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.core.errors import IcelensError
from icelens.jobs.project.entry import Entry
from icelens.jobs.provenance import fingerprint

MOST_FILES = 500
_MOST_HASHED = 4 * 2**20
Since = Literal["", "changed", "by itself", "missing", "elsewhere"]
"""What came of an input: `by itself` if only the job changed it, as one that adds to a list."""


@dataclass(frozen=True)
class Output:
    """A file that a job wrote.

    Attributes:
        path: As links have it.
        views: Viewers that open it; empty if it is gone.
        commands: By which other programs open it.
    """

    path: str
    kind: str
    is_there: bool
    views: tuple[View, ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rpartition("/")[2]

    @property
    def place_and_name(self) -> str:
        """Its last two parts, which tell files of one name apart."""
        return "/".join(self.path.split("/")[-2:])


@dataclass(frozen=True)
class Input:
    """A file that a job read.

    Attributes:
        since: Whether it is still what the job read.
    """

    path: str
    setting: str
    since: Since
    views: tuple[View, ...]


def outputs_of(roots: Roots, entry: Entry, record: RecordFile) -> list[Output]:
    """What a job wrote, as its record says; for jobs that keep none, as its settings say."""
    rows = record.rows("outputs")[:MOST_FILES]
    said = [(row.get("path"), row.get("kind", "")) for row in rows]
    named = entry.settings.get("output")
    if not said and isinstance(named, str) and Path(named).suffix and entry.state == "done":
        said = [(named, "")]
    found: dict[str, Output] = {}
    for path, kind in said:
        if isinstance(path, str) and isinstance(kind, str):
            output = _output(roots, entry, record, path, kind)
            if output is not None:
                found[output.path] = output
    return list(found.values())


def grouped(outputs: list[Output]) -> list[tuple[str, list[Output]]]:
    """Outputs by kind; what can be looked at comes first."""
    groups: dict[str, list[Output]] = {}
    for output in outputs:
        groups.setdefault(output.kind, []).append(output)
    return sorted(groups.items(), key=lambda item: (not item[1][0].views, item[0]))


def inputs_of(roots: Roots, entry: Entry, record: RecordFile) -> list[Input]:
    """What a job read, and whether it is still the same."""
    found: dict[tuple[str, str], Input] = {}
    for row in record.rows("inputs")[:MOST_FILES]:
        path = row.get("path")
        if not isinstance(path, str) or not path:
            continue
        setting = str(row.get("setting", ""))
        try:
            resolved = roots.resolve(str(_base(roots, entry, record) / path))
        except OutsideRootsError:
            found[path, setting] = Input(path, setting, "elsewhere", ())
            continue
        since = _since(resolved, row, record.text("ended"))
        shown = roots.shown(resolved)
        is_seen = since != "missing" and resolved.is_file()
        views = tuple(views_of(shown, kind_of(shown), "")) if is_seen else ()
        found[shown, setting] = Input(shown, setting, since, views)
    return list(found.values())


def picks_project(entry: Entry) -> str:
    """The project of tomograms and picks that a job works in; empty if it has none."""
    if entry.job == "simulate.tomograms":
        return entry.folder
    project = entry.settings.get("project")
    return project if entry.task == "pick" and isinstance(project, str) else ""


def _output(roots: Roots, entry: Entry, record: RecordFile, path: str, kind: str) -> Output | None:
    base = record.folder if record.content and record.folder else roots.folders[0]
    places = [base / path, _base(roots, entry, record) / path]
    try:
        candidates = [roots.resolve(str(place)) for place in places]
    except OutsideRootsError:
        return None
    there = next((each for each in candidates if _exists(each)), None)
    chosen = there or candidates[0]
    shown, kind = roots.shown(chosen), kind_of(path, kind)
    project = picks_project(entry)
    views = tuple(views_of(shown, kind, entry.task, entry.folder, project)) if there else ()
    is_volume = any(view.place in ("slices", "surface") for view in views)
    commands = opening_commands(str(chosen)) if is_volume else ()
    return Output(shown, kind[:60], there is not None, views, commands)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _base(roots: Roots, entry: Entry, record: RecordFile) -> Path:
    """Where a job stood: the project, or for one from a terminal what it wrote down."""
    said = record.text("working_directory")
    if entry.origin == "queue" or not said or "\0" in said:
        return roots.folders[0]
    folder = Path(said)
    try:
        return folder if folder.is_dir() else roots.folders[0]
    except (OSError, ValueError):
        return roots.folders[0]


def _since(path: Path, row: Mapping[str, Any], ended: str) -> Since:
    """Compare with what the job noted; small files whose time changed are read again."""
    try:
        if not path.exists():
            return "" if row.get("found") is False else "missing"
        if path.is_dir() or "sha256" not in row:
            return ""
        status = path.stat()
    except OSError:
        return "missing"
    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    changed: Since = "by itself" if modified <= ended else "changed"
    if status.st_size != row.get("size"):
        return changed
    if modified == row.get("modified"):
        return ""
    if status.st_size > _MOST_HASHED:
        return changed
    try:
        return "" if fingerprint(path).get("sha256") == row["sha256"] else changed
    except IcelensError:
        return "missing"
