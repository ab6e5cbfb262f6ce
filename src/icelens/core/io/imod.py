"""IMOD's tilt angles (.tlt, .rawtlt) and defocus files of ctfplotter (.defocus)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.errors import InputFileError
from icelens.core.io.number_table import read_number_table

_ANGSTROM_PER_NM = 10.0
# Flags in the first line of a version 3 file.
_HAS_ASTIGMATISM, _ANGLE_IN_RADIANS = 1, 2


def read_tlt(path: Path) -> TiltSeries:
    """Read one tilt angle per line; a `.defocus` file of the same name beside it is used.

    Raises:
        InputFileError: If the file is missing or a line is no number.
        MetadataError: If an angle is beyond 90 degrees.
    """
    rows = read_number_table(path, expected="one tilt angle in degrees per line")
    angles = np.array([row[0] for row in rows])
    beside = path.with_suffix(".defocus")
    if not beside.is_file():
        return TiltSeries(angles)
    defocus_u, defocus_v, astigmatism_angle = read_defocus(beside, num_tilts=len(angles))
    return TiltSeries(
        angles, defocus_u=defocus_u, defocus_v=defocus_v, astigmatism_angle=astigmatism_angle
    )


def read_defocus(
    path: Path, *, num_tilts: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Read both defoci in Å and the angle of the first in degrees; versions 2 and 3.

    A line speaks for a range of views; views that no line names are interpolated.

    Args:
        path: The `.defocus` file.
        num_tilts: Number of views in the series.

    Raises:
        InputFileError: If the file is missing or a line is not of that form.

    References:
        IMOD manual page of ctfphaseflip, "Defocus file format".
    """
    expected = "first view, last view, two angles and defocus in nm"
    rows = read_number_table(path, expected=expected, min_columns=5)
    flags = 0
    # Version 3 opens with its flags and ends that line with 3; in version 2 a lone 2 ends line one.
    if rows[0].size == 6 and rows[0][5] == 3 and rows[0][1] == rows[0][4] == 0:
        flags = int(rows[0][0])
        rows = rows[1:]
    width = 7 if flags & _HAS_ASTIGMATISM else 5
    if not rows or any(row.size < width for row in rows):
        raise InputFileError(f"{path}: a line has too few numbers, expected {expected}; correct it")
    centre = np.array([(row[0] + row[1]) / 2 for row in rows])
    order = np.argsort(centre, kind="stable")
    views = np.arange(1, num_tilts + 1)

    def of_each_view(column: int) -> npt.NDArray[np.float64]:
        values = np.array([row[column] for row in rows])
        interpolated: npt.NDArray[np.float64] = np.interp(views, centre[order], values[order])
        return interpolated

    defocus_u = of_each_view(4) * _ANGSTROM_PER_NM
    if not flags & _HAS_ASTIGMATISM:
        return defocus_u, defocus_u, np.zeros(num_tilts)
    angle = of_each_view(6)
    if flags & _ANGLE_IN_RADIANS:
        angle = np.rad2deg(angle)
    return defocus_u, of_each_view(5) * _ANGSTROM_PER_NM, angle
