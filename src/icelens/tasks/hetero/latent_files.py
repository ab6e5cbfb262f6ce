"""Latents that volumes are wanted at: from a table, plain numbers, or rows of particles."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.latent_table import read_latents
from icelens.core.io.number_table import read_number_table, read_text

_ROW = r"[0-9]{1,12}"
_MOST_ROWS = 100_000
Latents = npt.NDArray[np.float64]


def read_states(path: Path, latent_dim: int) -> Latents:
    """Latents `(state, latent_dim)` of a CSV with columns latent_1 ..., or lines of plain numbers.

    Raises:
        InputFileError: If the file cannot be read or holds latents of another dimension.
    """
    try:
        return _read(path, latent_dim)
    except MetadataError as error:
        raise InputFileError(f"{path}: {error}") from error


def _read(path: Path, latent_dim: int) -> Latents:
    expected = f"lines of {latent_dim} numbers, or CSV with columns latent_1 ..."
    start = read_text(path, expected=expected).lstrip()
    first = start.splitlines()[0]
    if "latent" in first and not first.startswith("#"):
        latent = read_latents(path).latent
    else:
        lines = read_number_table(path, expected=expected)
        lengths = sorted({len(line) for line in lines})
        if len(lengths) > 1:
            raise InputFileError(
                f"{path}: lines of {lengths[0]} and of {lengths[-1]} numbers, expected {expected}"
            )
        latent = LatentTable(np.stack(lines)).latent
    if latent.shape[1] != latent_dim:
        raise InputFileError(
            f"{path}: latents of {latent.shape[1]} coordinates, but the run has {latent_dim}; give "
            "latents of this run"
        )
    return latent


def rows_in(text: str) -> list[int]:
    """Rows of particles, from 0, as typed: `0,15,30` or `0-4,15`; order is kept.

    Raises:
        MetadataError: If the text is no such list.
    """
    rows: list[int] = []
    for item in text.split(","):
        first, dash, last = (part.strip() for part in item.partition("-"))
        words = [first, last] if dash else [first]
        if not all(re.fullmatch(_ROW, word) for word in words) or int(words[-1]) < int(first):
            raise MetadataError(f"--rows is {text!r}, expected rows from 0 such as 0,15,30 or 0-4")
        if int(words[-1]) - int(first) >= _MOST_ROWS:
            raise MetadataError(
                f"--rows is {text!r}, expected {_MOST_ROWS} rows or fewer; name fewer"
            )
        rows.extend(range(int(first), int(words[-1]) + 1))
    if len(set(rows)) != len(rows):
        raise MetadataError(f"--rows is {text!r}: a row comes twice; name each once")
    return rows


def latents_of_rows(table: LatentTable, rows: list[int], folder: Path) -> Latents:
    """Latents of the particles whose first image is in these rows.

    Raises:
        MetadataError: If a row is none's.
    """
    try:
        return table.latent[table.place_of_rows(rows)]
    except MetadataError as error:
        raise MetadataError(f"{folder}: {error}") from error
