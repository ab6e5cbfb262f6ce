"""Find the data of a project: tomogram lists and particle files of jobs and of its top folders."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from icelens.apps.web.files.kinds import kind_of_name
from icelens.apps.web.forms.results import results_for
from icelens.apps.web.roots import Roots
from icelens.core.io.plain_file import open_plain
from icelens.core.io.plain_json import is_text
from icelens.jobs.project.queue import Queue

SetKind = Literal["tomograms", "particles"]
MOST_SETS = 200
_MOST_SCANNED = 5000
_DEPTH = 3
_HEAD = 2**16
_LABEL = re.compile(rb"^\s*_(\w+)", re.MULTILINE)
_VOLUMES = {b"rlnTomoName", b"rlnTomoReconstructedTomogramHalf1"}
_SKIPPED = {"jobs", "presets", "lanes"}


@dataclass(frozen=True)
class DataSet:
    """A file that lists tomograms or particles.

    Attributes:
        path: As links and settings have it.
        number: Of the job that made it; None if it came from elsewhere.
        modified: ISO, UTC.
    """

    kind: SetKind
    path: str
    name: str
    number: int | None
    title: str
    size: int
    modified: str


def find_sets(queue: Queue, roots: Roots) -> list[DataSet]:
    """Lists of tomograms and particles, of the latest jobs first; the disk is not searched."""
    found: dict[Path, DataSet] = {}
    for result in results_for(queue, ("tomograms", "particles")):
        path = queue.project.absolute(result.path)
        if result.exists:
            _add(found, roots, path, number=result.number, title=result.title)
    for path in _top_files(roots):
        if len(found) >= MOST_SETS:
            break
        _add(found, roots, path, number=None, title="")
    return list(found.values())


def kind_of_set(path: Path) -> SetKind | None:
    """What a file lists, told from its first lines; None if neither tomograms nor particles."""
    try:
        about = path.stat()
    except OSError:
        return None
    return _kind(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=2000)
def _kind(path: Path, stamp: int, size: int) -> SetKind | None:
    del stamp, size  # a file that was written anew is read anew
    if kind_of_name(path.name) == "particles":
        return "particles"
    try:
        with open_plain(path) as file:
            labels = set(_LABEL.findall(file.read(_HEAD)))
    except OSError:
        return None
    if b"rlnIndex" in labels and labels & _VOLUMES:
        return "tomograms"
    return "particles" if b"rlnImageName" in labels else None


def _add(
    found: dict[Path, DataSet], roots: Roots, path: Path, *, number: int | None, title: str
) -> None:
    resolved = path.resolve()
    if resolved in found or len(found) >= MOST_SETS or not roots.contains(resolved):
        return
    kind = kind_of_set(resolved) if resolved.is_file() else None
    if kind is not None:
        about = resolved.stat()
        modified = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
        shown = roots.shown(path)
        found[resolved] = DataSet(kind, shown, path.name, number, title, about.st_size, modified)


def _top_files(roots: Roots) -> Iterator[Path]:
    """STAR and .cs files not far below the roots; a bounded number of names is looked at."""
    left = _MOST_SCANNED
    level = list(roots.folders)
    for depth in range(_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            try:
                names = sorted(os.scandir(folder), key=lambda entry: entry.name)[:left]
            except OSError:
                continue
            left -= len(names)
            for entry in names:
                if entry.name.startswith(".") or entry.is_symlink() or not is_text(entry.name):
                    continue
                if entry.is_dir():
                    if not (depth == 0 and entry.name in _SKIPPED):
                        below.append(Path(entry.path))
                elif kind_of_name(entry.name) in ("star", "particles"):
                    yield Path(entry.path)
        level = below
        if left <= 0:
            return
