"""Dynamo's particle tables: .tbl with one row of numbers per particle, .doc with tomogram names."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.geometry.dynamo_angles import (
    dynamo_angles_from_matrices,
    matrices_from_dynamo_angles,
)
from icelens.core.io.atomic import atomic_path
from icelens.core.io.number_table import read_number_table, read_text
from icelens.core.io.particle_columns import bare_name, numbered_species
from icelens.core.io.picks import checked_picks

Floats = npt.NDArray[np.float64]

# Columns, counted from 0; Dynamo's own words count from 1.
_TAG, _ALIGNED, _AVERAGED = 0, 1, 2
_SHIFT = slice(3, 6)
_ANGLES = slice(6, 9)
_SCORE, _FOURIER, _TILT_MIN, _TILT_MAX = 9, 12, 13, 14
_TOMOGRAM, _CLASS = 19, 21
_POSITION = slice(23, 26)
_NUM_COLUMNS = 35
_FEWEST_COLUMNS = 26
# The first voxel is number 1.
_FIRST_VOXEL = 1.0


def read_dynamo_table(
    path: Path,
    *,
    pixel_size: float,
    tomogram_names: Mapping[int, str] | None = None,
    species_names: Mapping[int, str] | None = None,
) -> Picks:
    """Read a table; shifts are added to the coordinates, so that positions are refined ones.

    Args:
        path: `.tbl` file of text.
        pixel_size: Of the coordinates in Å.
        tomogram_names: Name of each tomogram number; without it, the `.doc` beside the table is
            read, and without that too the number itself is the name.
        species_names: Species of each class number; without it, the number itself.

    Raises:
        InputFileError: If the file is missing or no such table.

    References:
        Dynamo wiki, table convention.
    """
    if path.exists() and not path.read_bytes().strip():  # Dynamo's own empty table
        return Picks(np.empty((0, 3)))
    expected = f"at least {_FEWEST_COLUMNS} numbers, the columns of a Dynamo table"
    rows = read_number_table(path, expected=expected, min_columns=_FEWEST_COLUMNS)
    table = np.array([row[:_FEWEST_COLUMNS] for row in rows])
    doc = path.with_suffix(".doc")
    if tomogram_names is None:
        tomogram_names = read_tomogram_doc(doc) if doc.exists() else {}
    names, kinds = tomogram_names, species_names or {}
    return checked_picks(
        path,
        position_zyx=(table[:, _POSITION] + table[:, _SHIFT] - _FIRST_VOXEL)[:, ::-1] * pixel_size,
        rotation=matrices_from_dynamo_angles(table[:, _ANGLES]),
        species=tuple(kinds.get(int(n), str(int(n))) for n in table[:, _CLASS]),
        score=table[:, _SCORE],
        tomogram_id=tuple(names.get(int(n), str(int(n))) for n in table[:, _TOMOGRAM]),
    )


def write_dynamo_table(
    path: Path,
    picks: Picks,
    *,
    pixel_size: float,
    class_numbers: Mapping[str, int] | None = None,
    tilt_range: tuple[float, float] | None = None,
) -> Path:
    """Write a table, and beside it the `.doc` that numbers its tomograms; returns the latter.

    Args:
        path: `.tbl` file to write.
        picks: Their coordinates are written without shifts.
        pixel_size: Of the tomograms in Å.
        class_numbers: Number of each species; else from 1 in alphabetical order.
        tilt_range: Lowest and highest tilt about y in degrees, where known.
    """
    tomograms = sorted(set(picks.tomogram_id))
    numbers = numbered_species(picks) if class_numbers is None else class_numbers
    table = np.zeros((len(picks), _NUM_COLUMNS))
    table[:, _TAG] = np.arange(1, len(picks) + 1)
    table[:, [_ALIGNED, _AVERAGED]] = 1
    table[:, _ANGLES] = dynamo_angles_from_matrices(picks.rotation)
    table[:, _SCORE] = picks.score
    if tilt_range is not None:
        table[:, [_FOURIER, _TILT_MIN, _TILT_MAX]] = (1, *tilt_range)
    table[:, _TOMOGRAM] = [tomograms.index(name) + 1 for name in picks.tomogram_id]
    table[:, _CLASS] = [numbers[name] for name in picks.species]
    table[:, _POSITION] = picks.position_zyx[:, ::-1] / pixel_size + _FIRST_VOXEL
    lines = [" ".join(f"{value:.10g}" for value in row) + "\n" for row in table.tolist()]
    doc = path.with_suffix(".doc")
    for name in tomograms:
        if not name or any(letter.isspace() for letter in name):
            raise MetadataError(
                f"{doc}: tomogram {name!r} cannot be listed by Dynamo, expected a name without "
                "blanks; rename it"
            )
    with atomic_path(doc) as temporary:
        listed = [f"{number} {name}.mrc\n" for number, name in enumerate(tomograms, start=1)]
        temporary.write_text("".join(listed), encoding="utf-8")
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return doc


def read_tomogram_doc(path: Path) -> dict[int, str]:
    """Names of tomograms by their number, without folders and endings.

    Raises:
        InputFileError: If a line is not a number and a file.
    """
    if path.exists() and not path.read_bytes().strip():
        return {}
    names: dict[int, str] = {}
    for line in read_text(path, expected="a number and a tomogram per line").splitlines():
        words = line.split(maxsplit=1)
        if not words:
            continue
        if len(words) != 2 or not words[0].isdecimal():
            raise InputFileError(
                f"{path}: line {line.strip()[:60]!r}, expected a number and the tomogram's file; "
                "correct it"
            )
        names[int(words[0])] = bare_name(words[1].strip())
    return names
