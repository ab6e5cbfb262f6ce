"""AreTomo 2 and 3: alignment (.aln), tilt list (_TLT.txt) and defocus (_CTF.txt)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.errors import InputFileError
from icelens.core.io.number_table import read_number_table, read_text

Floats = npt.NDArray[np.float64]
# Columns of the global alignment: SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT
_NUM_COLUMNS, _SECTION, _ROTATION, _TILT = 10, 0, 1, 9


def read_aln(path: Path) -> TiltSeries:
    """Read the aligned tilts (dark ones are left out); `_TLT.txt` and `_CTF.txt` beside are used.

    Raises:
        InputFileError: If the file is missing, or lists that belong together differ in length.
    """
    rows, first_section = _global_rows(path)
    section = rows[:, _SECTION].astype(int) - first_section
    doses, ctf = _beside(path, "_TLT.txt"), _beside(path, "_CTF.txt")
    fitted = None if ctf is None else _chosen(ctf, read_ctf(ctf), section)
    return TiltSeries(
        rows[:, _TILT],
        dose=None if doses is None else _chosen(doses, read_prior_doses(doses), section),
        defocus_u=None if fitted is None else fitted[:, 0],
        defocus_v=None if fitted is None else fitted[:, 1],
        astigmatism_angle=None if fitted is None else fitted[:, 2],
        tilt_axis_angle=float(rows[:, _ROTATION].mean()),
    )


def read_prior_doses(path: Path) -> Floats:
    """Dose before each image in e/Å² from AreTomo3's `_TLT.txt`: angle, order of recording, dose.

    Raises:
        InputFileError: If the file is missing or a line does not hold three numbers.
    """
    rows = read_number_table(path, expected="angle, order and dose", min_columns=3)
    order = np.argsort([row[1] for row in rows], kind="stable")
    dose = np.array([row[2] for row in rows])
    prior = np.empty(len(rows))
    prior[order] = np.cumsum(dose[order]) - dose[order]
    return prior


def read_ctf(path: Path) -> Floats:
    """Both defoci in Å and the azimuth in degrees, `(tilt, 3)`, from `_CTF.txt`.

    Its columns are those of CTFFIND.

    Raises:
        InputFileError: If the file is missing or a line is too short.
    """
    expected = "number, two defoci in Å and azimuth"
    return np.array([row[1:4] for row in read_number_table(path, expected=expected, min_columns=4)])


def _global_rows(path: Path) -> tuple[Floats, int]:
    """Rows of the global alignment, and whether sections are counted from 0 or 1."""
    expected = "an AreTomo alignment"
    rows, sections = [], []
    for line in read_text(path, expected=expected).splitlines():
        if line.startswith("# Local"):
            break
        if line.startswith("# DarkFrame") and "=" in line:
            sections.append(int(line.split("=")[1].split()[1]))
        words = line.split("#", 1)[0].split()
        if len(words) >= _NUM_COLUMNS:
            rows.append(_floats(path, words[:_NUM_COLUMNS]))
    if not rows:
        raise InputFileError(f"{path}: no aligned tilts in it, expected {expected}; align it again")
    table = np.array(rows)
    sections.extend(table[:, _SECTION].astype(int).tolist())
    return table, 0 if 0 in sections else 1


def _floats(path: Path, words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise InputFileError(
            f"{path}: {error} in the alignment, expected numbers; correct it"
        ) from error


def _beside(path: Path, ending: str) -> Path | None:
    """The file of the same series with another ending, if it is there."""
    beside = path.with_name(path.stem + ending)
    return beside if beside.is_file() else None


def _chosen(path: Path, values: Floats, section: npt.NDArray[np.int_]) -> Floats:
    """Values of the aligned tilts, from a list of those or of all recorded ones."""
    if len(values) == len(section):
        return values
    if section.max() >= len(values):
        raise InputFileError(
            f"{path}: {len(values)} lines, but the alignment names tilt {section.max() + 1}; "
            "the files belong to different series"
        )
    return values[section]
