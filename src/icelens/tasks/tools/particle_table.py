"""Rows and columns that tools ask of the tables of particle files."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.io.table_columns import Column, record_columns, table_columns

__all__ = [
    "Column",
    "num_table_rows",
    "offer",
    "record_columns",
    "require_column",
    "rows_of_table",
    "table_columns",
]

Integers = npt.NDArray[np.int64]


def rows_of_table(file: ParticleFile, table_rows: npt.ArrayLike) -> Integers:
    """Images that belong to rows of the table, in the order of the images."""
    return np.flatnonzero(np.isin(file.table_row, np.asarray(table_rows)))


def num_table_rows(file: ParticleFile) -> int:
    """Rows of the table: images, or stacks of tilts."""
    return len(next(iter(table_columns(file).values())))


def require_column(path: Path, columns: Mapping[str, Column], name: str) -> Column:
    """A column, or an error that offers the nearest names.

    Raises:
        MetadataError: If it is not there.
    """
    plain = name.removeprefix("_").replace("/", "_")
    if plain not in columns:
        raise MetadataError(f"{path}: no column {name}; {offer(plain, columns)}")
    return columns[plain]


def offer(name: str, known: Iterable[str]) -> str:
    """The names next to one that does not exist, or all there are."""
    names = sorted(known)
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
