"""Fourier shell correlations as a table: one row for each shell."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from icelens.core.io.csv_table import write_csv


def write_fsc(
    path: Path, spatial_frequency: Sequence[float], columns: Mapping[str, Sequence[float]]
) -> None:
    """Write a CSV with the number, frequency and resolution of each shell, and further columns.

    Args:
        path: File to write.
        spatial_frequency: Of each shell, in 1/Å, 0 for the first; its resolution is infinite.
        columns: Values of each shell by name: curves, counts of samples.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
    """
    resolution = [1.0 / each if each else math.inf for each in spatial_frequency]
    shells = range(len(spatial_frequency))
    rows = zip(shells, spatial_frequency, resolution, *columns.values(), strict=True)
    write_csv(path, ["shell", "spatial_frequency", "resolution", *columns], rows)
