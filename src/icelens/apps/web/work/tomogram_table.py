"""A list of tomograms as a table for the browser: cells, pictures, and problems with their fix."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import IcelensError
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader
from icelens.core.io.volumes import read_header
from icelens.jobs.record import now

MOST_ROWS = 1000
_MOST_HEADERS = 300
_VOLUMES = ("denoised", "corrected", "deconvolved", "full", "even", "odd", "ground_truth", "mask")
_EDITED = ("pixel_size", "defocus", "tilt_min", "tilt_max", "num_subtomograms")
_MICROMETRES = 100.0
"""A defocus below so many Å is one in µm."""
_PER_MICROMETRE = 1e4


@dataclass(frozen=True)
class Look:
    """What of the disk may be looked at.

    Attributes:
        project: Its folder; paths in it are shown relative.
        roots: Folders, links resolved.
    """

    project: Path
    roots: tuple[Path, ...]

    def shown(self, path: Path) -> str:
        """A path as links have it."""
        absolute = (self.project / path).absolute()
        if absolute.is_relative_to(self.project):
            return absolute.relative_to(self.project).as_posix()
        return str(absolute)

    def may_see(self, path: Path) -> bool:
        """Whether a path lies below a root."""
        resolved = (self.project / path).resolve()
        return any(resolved.is_relative_to(root) for root in self.roots)


def table_of(tomograms: TomogramList, look: Look) -> dict[str, Any]:
    """Rows with their cells, the volumes they name, and problems."""
    rows = []
    for position, row in enumerate(tomograms):
        if position >= MOST_ROWS:
            break
        rows.append(_row(row, look, with_headers=position < _MOST_HEADERS))
    left = len(tomograms) - len(rows)
    note = f"{left} more tomograms are not shown" if left > 0 else ""
    return {"count": len(tomograms), "rows": rows, "note": note, "read": now()}


def _row(row: TomogramRow, look: Look, *, with_headers: bool) -> dict[str, Any]:
    named = {field: path for field in _VOLUMES if (path := getattr(row, field)) is not None}
    header, problems = None, []
    for field, path in named.items():
        if not look.may_see(path):
            problems.append(_problem(field, f"{field} lies outside the folders shown here"))
        elif not path.exists():
            problems.append(_missing(field, path, look))
        elif with_headers and header is None:
            header, wrong = _header(path)
            problems += [_problem(field, wrong)] if wrong else []
    problems += _recording_problems(row, header)
    first = next((each for each in _VOLUMES if each in named), None)
    return {
        "index": row.index,
        "name": _name(row),
        "cells": {
            **{field: getattr(row, field) for field in _EDITED},
            "mask": look.shown(row.mask) if row.mask is not None else None,
        },
        "volumes": {field: look.shown(path) for field, path in named.items()},
        "picture": look.shown(named[first]) if first else None,
        "shape": [int(side) for side in header.shape] if header else None,
        "voltage": row.voltage,
        "problems": problems,
    }


def _name(row: TomogramRow) -> str:
    path = row.full or row.even
    return path.name.partition(".")[0] if path else f"{row.index}"


def _header(path: Path) -> tuple[VolumeHeader | None, str]:
    try:
        return read_header(path), ""
    except IcelensError as error:
        return None, str(error)


def _missing(field: str, path: Path, look: Look) -> dict[str, Any]:
    text = f"{field}: {look.shown(path)} does not exist"
    if field == "mask":
        return _problem(field, text, fix="Leave the mask out", column="mask", value=None)
    return _problem(field, text)


def _recording_problems(row: TomogramRow, header: VolumeHeader | None) -> list[dict[str, Any]]:
    found = []
    size = header.pixel_size if header else None
    if size is not None and abs(size - row.pixel_size) > CONTRADICTION * row.pixel_size:
        text = f"pixel size is {row.pixel_size:g} Å here and {size:g} Å in the file's header"
        fix = f"Take {size:g} Å"
        found.append(_problem("pixel_size", text, fix=fix, column="pixel_size", value=size))
    if 0 < abs(row.defocus) < _MICROMETRES:
        value = row.defocus * _PER_MICROMETRE
        text = f"defocus {row.defocus:g} Å looks like µm"
        fix = f"Take {value:g} Å"
        found.append(_problem("defocus", text, fix=fix, column="defocus", value=value))
    return found


def _problem(field: str, text: str, **fix: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"field": field, "text": text, "fix": fix or None}
