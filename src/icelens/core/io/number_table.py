"""Plain text tables of numbers, as IMOD and AreTomo write them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError


def read_text(path: Path, *, expected: str) -> str:
    """The file's text.

    Raises:
        InputFileError: If it is missing, empty or not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InputFileError(
            f"{path}: cannot be read ({reason}), expected {expected}; check the path"
        ) from error
    if not text.strip():
        raise InputFileError(f"{path}: the file is empty, expected {expected}; write it again")
    return text


def read_number_table(
    path: Path, *, expected: str, min_columns: int = 1
) -> list[npt.NDArray[np.float64]]:
    """The numbers of each line; blank lines and comments (#) are left out.

    Args:
        path: Text file.
        expected: What each line should hold, for errors.
        min_columns: Fewest numbers in a line.

    Raises:
        InputFileError: If the file is missing or empty, or a line holds something else.
    """
    rows = []
    for number, line in enumerate(read_text(path, expected=expected).splitlines(), start=1):
        words = line.split("#", 1)[0].replace(",", " ").split()
        if not words:
            continue
        try:
            row = np.array([float(word) for word in words])
        except ValueError:
            row = np.empty(0)
        if row.size < min_columns or not np.isfinite(row).all():
            raise InputFileError(
                f"{path}: line {number} is {line.strip()[:60]!r}, expected {expected}; correct it"
            )
        rows.append(row)
    if not rows:
        raise InputFileError(f"{path}: no numbers in it, expected {expected}; write it again")
    return rows
