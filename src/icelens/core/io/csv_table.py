"""Write tables as CSV, atomically."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from icelens.core.io.atomic import atomic_path


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A header and rows; floats are cut to six digits, whole numbers stay.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])


def number_or_empty(value: float | np.floating) -> float | str:
    """The number, or nothing for a table where it is not known, which is not finite then."""
    return float(value) if np.isfinite(value) else ""
