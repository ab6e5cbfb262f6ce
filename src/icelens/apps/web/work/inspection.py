"""Say what files hold: headers of volumes, tables of tomograms and particles; pandas allowed."""

import math
import os
from itertools import islice
from pathlib import Path
from typing import Any

from icelens.apps.web.files.kinds import kind_of_name
from icelens.apps.web.work.tomogram_table import Look, table_of
from icelens.apps.web.worker import Answer
from icelens.core.data.particles import Particles
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.events import Event, Message
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.tomogram_star import read_tomograms, update_tomograms
from icelens.core.io.volume_header import VolumeHeader
from icelens.core.io.volumes import read_header
from icelens.jobs.record import RECORD_NAME

_MOST_LINES = 40
_MOST_GROUPS = 50
_LARGEST_TEXT = 400 * 2**20
_PATHS = ("mask",)
_TABLES = ("block ", "table: ")
"""Lines that matter only where nothing else is known of a STAR file."""


def about(project: str, file: str) -> Answer:
    """What a file or the folder of a run holds, in a few lines; no voxel is read.

    Args:
        project: Folder that paths in tables are meant from.
        file: Absolute.

    Raises:
        IcelensError: If it cannot be read.
    """
    os.chdir(project)
    path = _local(project, file)
    if not path.exists():
        raise InputFileError(f"{path.name}: does not exist; check the path")
    kind = kind_of_name(path.name)
    if kind in ("volume", "stack"):
        header = read_header(path) if kind == "volume" else read_mrc_stack_header(path)
        return Answer(_of_header(path, header, is_stack=kind == "stack"))
    lines, problem = _described(path, kind)
    return Answer({"kind": kind, "lines": lines, "problem": problem, "size": _size(path)})


def tomograms(project: str, file: str, roots: list[str]) -> Answer:
    """The table of a list of tomograms, with what is wrong in it.

    Args:
        project: Folder that paths are meant from.
        file: The list, absolute.
        roots: Files outside of these are not looked at.

    Raises:
        IcelensError: If it is no such list.
    """
    os.chdir(project)
    path = _readable(_local(project, file))
    return Answer(table_of(read_tomograms(path), Look(Path(project), tuple(map(Path, roots)))))


def edit_tomograms(
    project: str, file: str, column: str, values: dict[str, Any], roots: list[str]
) -> Answer:
    """Change cells of one column of a list, and return its table as it then is.

    Args:
        project: Folder that paths are meant from.
        file: The list, absolute.
        column: House word of the column.
        values: New value for each rlnIndex; None empties a cell.
        roots: Files outside of these are not looked at.

    Raises:
        IcelensError: If the list is locked, or a value is impossible; nothing is changed then.
    """
    os.chdir(project)
    path = _readable(_local(project, file))
    cells: dict[int, object] = {
        int(index): Path(value) if column in _PATHS and value is not None else value
        for index, value in values.items()
    }
    changed = update_tomograms(path, column, cells)
    return Answer(table_of(changed, Look(Path(project), tuple(map(Path, roots)))))


def particles(project: str, file: str) -> Answer:
    """Numbers of a particle file: images, optics groups, poses, half sets, and what is wrong.

    Args:
        project: Folder that paths are meant from.
        file: STAR or .cs, absolute.

    Raises:
        IcelensError: If it cannot be read.
    """
    import numpy as np

    from icelens.core.io.particle_files import read_particles

    os.chdir(project)
    told: list[str] = []
    path = _readable(_local(project, file))

    def hear(event: Event) -> None:
        if isinstance(event, Message) and event.level != "info":
            told.append(event.text.removeprefix(f"{path}: "))

    found = read_particles(path, on_event=hear).particles
    groups = [_of_group(found, index) for index in range(min(len(found.optics), _MOST_GROUPS))]
    lost = np.asarray([not stack.is_file() for stack in found.stacks])[found.stack]
    if lost.any() and not any("does not exist" in text or "missing" in text for text in told):
        first = found.stacks[found.stack[int(np.argmax(lost))]]
        told.append(f"{int(lost.sum())} images have no stack here; the first is {first}")
    return Answer(
        {
            "images": len(found),
            "particles": len(np.unique(found.particle)),
            "stacks": len(found.stacks),
            "groups": [group for group in groups if group["images"]],
            "has_poses": bool(found.has_poses),
            "halves": [int((found.half_set == half).sum()) for half in (1, 2)],
            "problems": told[:_MOST_LINES],
            "stack": str(found.stacks[0]) if len(found.stacks) else "",
        }
    )


def _of_group(found: Particles, index: int) -> dict[str, Any]:
    group, chosen = found.optics[index], found.optics_index == index
    defocus = found.defocus_u[chosen]
    known = len(defocus) > 0 and bool(defocus.any())
    return {
        "name": str(group.name),
        "images": int(chosen.sum()),
        "box": int(group.box_size),
        "pixel_size": float(group.pixel_size),
        "voltage": float(group.voltage),
        "defocus": [float(defocus.min()), float(defocus.max())] if known else None,
    }


def _of_header(path: Path, header: VolumeHeader, *, is_stack: bool) -> dict[str, Any]:
    z, y, x = header.shape
    size = header.pixel_size
    what = f"{z} images of {y} × {x} px" if is_stack else f"{z} × {y} × {x} voxels (z, y, x)"
    lines = [what, "pixel size not in the header" if size is None else f"{size:.4g} Å per pixel"]
    if size is not None and not is_stack:
        lines.append(" × ".join(f"{side * size / 10:.4g}" for side in header.shape) + " nm")
    lines.append(f"{header.dtype.name}, {header.format}")
    known = size is not None and math.isfinite(size)
    return {
        "kind": "stack" if is_stack else "volume",
        "lines": lines,
        "problem": "",
        "size": _size(path),
        "shape": [int(side) for side in header.shape],
        "pixel_size": size if known else None,
        "has_picture": True,
    }


def _described(path: Path, kind: str) -> tuple[list[str], str]:
    """Lines as `icelens tools inspect` says them, and the first thing that is wrong."""
    from icelens.tasks.tools.inspect import describe

    is_run = path.is_dir() and (path / RECORD_NAME).exists()
    if not is_run and kind not in ("star", "particles", "settings", "tilts", "checkpoint"):
        return [], ""
    if kind == "settings" and path.suffix.lower() != ".json":
        return [], ""
    if not is_run:
        _readable(path)
    lines: list[str] = []
    try:
        lines.extend(islice(describe(path), _MOST_LINES))
    except IcelensError as error:
        return lines, str(error).removeprefix(f"{path}: ").splitlines()[0]
    said = [line for line in lines if not line.startswith(_TABLES)]
    return said or lines, ""


def _local(project: str, file: str) -> Path:
    """A path as the project's folder sees it, so that messages are short."""
    path = Path(file)
    return path.relative_to(project) if path.is_relative_to(project) else path


def _readable(path: Path) -> Path:
    """The path, if it is a file of a size that a table may have."""
    if not path.is_file():
        raise InputFileError(f"{path.name}: is no file; check the path")
    if path.stat().st_size > _LARGEST_TEXT:
        raise InputFileError(f"{path.name}: is too large to be looked at here")
    return path


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
