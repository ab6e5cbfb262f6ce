"""What lies in a folder, for the file picker: folders first, bounded, nothing hidden."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from icelens.apps.web.files.kinds import FileKind, ending_of, is_store, kind_of_name
from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.core.errors import InputFileError
from icelens.core.io.plain_json import is_text
from icelens.jobs.project.project import DATABASE_NAME

MOST_ENTRIES = 2000
_MOST_SCANNED = 200_000


@dataclass(frozen=True)
class FileEntry:
    """One line of a folder.

    Attributes:
        path: As links and settings have it.
        modified: ISO, UTC; None if it cannot be known.
        target: Where a link leads; empty if it is none.
        is_outside: Whether a link leads out of what may be seen.
    """

    name: str
    path: str
    is_folder: bool
    kind: FileKind
    size: int
    modified: str | None
    target: str
    is_outside: bool


@dataclass(frozen=True)
class Listing:
    """A folder's content.

    Attributes:
        folder: As links have it; `.` for the project's.
        parents: The folders above it, from its root down, with their names.
        note: What was left out; empty if nothing was.
    """

    folder: str
    parents: tuple[tuple[str, str], ...]
    entries: tuple[FileEntry, ...]
    note: str


def list_folder(roots: Roots, folder: Path, endings: Sequence[str] = ()) -> Listing:
    """List a folder.

    Args:
        roots: Where files may be seen.
        folder: Below a root, links resolved.
        endings: Only files with these; all if empty. Folders are always listed.

    Raises:
        InputFileError: If it is no folder, or may not be read.
    """
    try:
        with os.scandir(folder) as scan:
            named = [found for found, _ in zip(scan, range(_MOST_SCANNED), strict=False)]
    except OSError as error:
        raise InputFileError(
            f"{roots.shown(folder)}: cannot be listed ({error.strerror}); choose another folder"
        ) from error
    fitting = [found for found in named if _is_shown(found, endings)]
    fitting.sort(key=lambda found: (not _is_folder(found), found.name.casefold(), found.name))
    entries = tuple(_entry(roots, folder, found) for found in fitting[:MOST_ENTRIES])
    left = len(fitting) - len(entries)
    note = f"{left} more are not shown; type to narrow down or the path itself" if left else ""
    return Listing(roots.shown(folder), _parents(roots, folder), entries, note)


def starting_points(roots: Roots) -> list[tuple[str, str]]:
    """Names and paths of the roots."""
    return [(root.name or str(root), roots.shown(root)) for root in roots.folders]


def _is_shown(found: "os.DirEntry[str]", endings: Sequence[str]) -> bool:
    if found.name.startswith((".", DATABASE_NAME)) or _is_odd(found.name):
        return False
    if not endings or ending_of(found.name) in endings:
        return True
    return _is_folder(found)


def _is_odd(name: str) -> bool:
    """Whether a name is no text, and so can stand in no link."""
    return not is_text(name) or any(letter < " " for letter in name)


def _is_folder(found: "os.DirEntry[str]") -> bool:
    try:
        return found.is_dir() and not is_store(found.name)
    except OSError:
        return False


def _entry(roots: Roots, folder: Path, found: "os.DirEntry[str]") -> FileEntry:
    target, is_outside = "", False
    if found.is_symlink():
        target, is_outside = _target(roots, folder / found.name)
    try:
        about = found.stat(follow_symlinks=not is_outside)
    except OSError:
        about = None
    is_folder = _is_folder(found) and not is_outside
    plain = about is not None and stat.S_ISREG(about.st_mode)
    return FileEntry(
        name=found.name,
        path=_place(roots, folder / found.name),
        is_folder=is_folder,
        kind="folder" if is_folder else kind_of_name(found.name),
        size=about.st_size if about is not None and plain else 0,
        modified=_time(about.st_mtime) if about is not None else None,
        target=target,
        is_outside=is_outside,
    )


def _place(roots: Roots, path: Path) -> str:
    """The path of an entry as links have it; a link itself, not what it leads to."""
    first = roots.folders[0]
    return path.relative_to(first).as_posix() if path.is_relative_to(first) else str(path)


def _target(roots: Roots, link: Path) -> tuple[str, bool]:
    """Where a link leads, and whether that is out of what may be seen."""
    try:
        target = roots.shown(roots.resolve(str(link)))
    except OutsideRootsError:
        return "outside", True
    return ("outside", True) if _is_odd(target) else (target, False)


def _time(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return None


def _parents(roots: Roots, folder: Path) -> tuple[tuple[str, str], ...]:
    inside = [root for root in roots.folders if folder.is_relative_to(root)]
    if not inside:
        return ()
    root = min(inside, key=lambda each: len(each.parts))
    above = [folder, *folder.parents]
    chain = [each for each in above if each.is_relative_to(root)]
    return tuple((each.name or str(each), roots.shown(each)) for each in reversed(chain))
