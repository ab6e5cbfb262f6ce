"""Files that a job of the project left: its folder, record, tables of curves and pictures."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.core.errors import IcelensError
from icelens.core.io.plain_json import is_text
from icelens.jobs.project.entry import Entry
from icelens.jobs.record import read_record

MOST_FILES = 200
_MOST_LOOKED_AT = 5000
_DEEPEST = 2
_CURVES = ("fsc.csv", "guinier.csv", "correlations.csv", "curves.csv", "postprocess.star")


def job_folder(roots: Roots, entry: Entry) -> Path:
    """The folder of a job, links resolved; it need not exist.

    Raises:
        OutsideRootsError: If it lies where the workbench may not look.
    """
    return roots.resolve(entry.folder)


def record_of(roots: Roots, entry: Entry) -> Mapping[str, Any]:
    """What `run.json` says; the settings of the queue where there is none that can be read."""
    asked = {"job": entry.job, "config": dict(entry.settings), "state": entry.state}
    try:
        record = read_record(job_folder(roots, entry))
    except IcelensError:
        return asked
    if record is None or record.get("job", entry.job) != entry.job:
        return asked
    # the queue knows of ends that the run itself could not write down
    return {**record, "state": entry.state, "cause": entry.cause or record.get("cause", "")}


def curve_files(roots: Roots, entry: Entry) -> list[Path]:
    """Tables of curves that a job wrote, in its folder or beside it."""
    found = [path for path in _files(roots, entry) if path.name.endswith(_CURVES)]
    for output in _outputs(record_of(roots, entry)):
        if output.endswith(_CURVES):
            found += _allowed(roots, Path(entry.folder, output))
    return list(dict.fromkeys(found))[:MOST_FILES]


def pictures(roots: Roots, entry: Entry) -> dict[str, Path]:
    """PNG files below a job's folder by their path there."""
    try:
        folder = job_folder(roots, entry)
    except OutsideRootsError:
        return {}
    found = [path for path in _files(roots, entry) if path.suffix == ".png"]
    return {path.relative_to(folder).as_posix(): path for path in found[:MOST_FILES]}


def _files(roots: Roots, entry: Entry) -> list[Path]:
    """Files below a job's folder, sorted; no links, and huge folders not to their end."""
    try:
        folder = job_folder(roots, entry)
    except OutsideRootsError:
        return []
    found = []
    for number, path in enumerate(_walk(folder, _DEEPEST)):
        if number >= _MOST_LOOKED_AT:
            break
        found.append(path)
    return sorted(found, key=lambda path: (len(path.parts), path))


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            inside = [entry for entry in entries if is_text(entry.name)]
    except OSError:
        return
    for entry in inside:
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
    for entry in inside:
        if depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(Path(entry.path), depth - 1)


def _outputs(record: Mapping[str, Any]) -> Iterator[str]:
    outputs = record.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, Mapping) and isinstance(output.get("path"), str):
            yield output["path"]


def _allowed(roots: Roots, path: Path) -> list[Path]:
    try:
        resolved = roots.resolve(str(path))
    except OutsideRootsError:
        return []
    return [resolved] if resolved.is_file() else []
