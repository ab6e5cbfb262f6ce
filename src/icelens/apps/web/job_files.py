"""Files that a job of the project left: its folder, record, tables of curves and pictures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icelens.apps.web.files.below import files_below
from icelens.apps.web.job_view.openers import CURVE_ENDINGS
from icelens.apps.web.job_view.record_file import read_record_file
from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.jobs.project.entry import Entry

MOST_FILES = 200
_MOST_LOOKED_AT = 5000
_DEEPEST = 2


def job_folder(roots: Roots, entry: Entry) -> Path:
    """The folder of a job, links resolved; it need not exist.

    Raises:
        OutsideRootsError: If it lies where the workbench may not look.
    """
    return roots.resolve(entry.folder)


def seen_folder(roots: Roots, entry: Entry) -> Path | None:
    """The same; None for a job that has none, or has it where the workbench may not look."""
    try:
        return job_folder(roots, entry) if entry.folder else None
    except OutsideRootsError:
        return None


def record_of(roots: Roots, entry: Entry) -> Mapping[str, Any]:
    """What `run.json` says; the settings of the queue where there is none that can be read."""
    asked = {"job": entry.job, "config": dict(entry.settings), "state": entry.state}
    record = read_record_file(roots, entry).content
    if "config" not in record:
        return asked
    # the queue knows of ends that the run itself could not write down
    return {**record, "state": entry.state, "cause": entry.cause or record.get("cause", "")}


def curve_files(roots: Roots, entry: Entry) -> list[Path]:
    """Tables of curves that a job wrote, in its folder or beside it."""
    found = [path for path in _files(roots, entry) if path.name.endswith(CURVE_ENDINGS)]
    for output in _outputs(record_of(roots, entry)):
        if output.endswith(CURVE_ENDINGS):
            found += _allowed(roots, Path(entry.folder, output))
    return list(dict.fromkeys(found))[:MOST_FILES]


def pictures(roots: Roots, entry: Entry) -> dict[str, Path]:
    """PNG files below a job's folder by their path there."""
    folder = seen_folder(roots, entry)
    if folder is None:
        return {}
    found = [path for path in _files(roots, entry) if path.suffix == ".png"]
    return {path.relative_to(folder).as_posix(): path for path in found[:MOST_FILES]}


def _files(roots: Roots, entry: Entry) -> list[Path]:
    """Files below a job's folder, those of the folder itself first."""
    folder = seen_folder(roots, entry)
    if folder is None:
        return []
    found = files_below(folder, depth=_DEEPEST, most=_MOST_LOOKED_AT)
    return sorted((Path(each.path) for each in found), key=lambda path: (len(path.parts), path))


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
