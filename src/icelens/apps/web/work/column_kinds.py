"""What a column of particles holds, for axes and colours: amounts or classes, name and unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError

Column = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

MOST_CLASSES = 64
"""Different values of a column of whole numbers or texts that are still told apart as classes."""
MOST_COLUMNS = 8
"""Columns of one answer: 32 MB of a million particles."""
_SAMPLE = 20_000

_NAMES = {
    "kmeans": ("Cluster", ""),
    "gmm": ("Gaussian", ""),
    "gmm_probability": ("Probability of the Gaussian", ""),
    "density": ("Density among the particles", ""),
    "sigma": ("Distance from the others", "σ"),
    "outlier": ("Outlier", ""),
    "norm": ("Length of the latent", ""),
    "half_set": ("Half set", ""),
    "defocus": ("Defocus", "Å"),
    "rot": ("Rot", "°"),
    "tilt": ("Tilt", "°"),
    "psi": ("Psi", "°"),
    "shift_x": ("Shift x", "Å"),
    "shift_y": ("Shift y", "Å"),
    "astigmatism": ("Astigmatism", "Å"),
    "optics_group": ("Optics group", ""),
    "images": ("Images of the particle", ""),
    "particle": ("Particle", ""),
    "row": ("Row of the particle file", ""),
    "rlnDefocusU": ("Defocus U", "Å"),
    "rlnDefocusV": ("Defocus V", "Å"),
    "rlnAngleRot": ("Rot", "°"),
    "rlnAngleTilt": ("Tilt", "°"),
    "rlnAnglePsi": ("Psi", "°"),
    "rlnOriginXAngst": ("Origin x", "Å"),
    "rlnOriginYAngst": ("Origin y", "Å"),
    "rlnClassNumber": ("Class", ""),
    "rlnRandomSubset": ("Half set", ""),
    "rlnOpticsGroup": ("Optics group", ""),
    "rlnCtfBfactor": ("B-factor", "Å²"),
    "rlnMicrographName": ("Micrograph", ""),
}
_NUMBERED = {
    "latent": "Latent",
    "pc": "PC",
    "umap": "UMAP",
    "deviation": "Uncertainty of latent",
    "landscape": "Landscape PC",
}


@dataclass(frozen=True)
class ColumnKind:
    """How a column is shown.

    Attributes:
        name: In expressions and requests.
        label: On axes.
        unit: In brackets behind it; empty where there is none.
        kind: `amount`, or `class` with few different values.
        values: Of classes, as sent; sorted.
        labels: Of classes, one for each value.
    """

    name: str
    label: str
    unit: str
    kind: str
    values: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the browser."""
        return asdict(self)


class Columns(Protocol):
    """What is known of particles, by the names of columns."""

    @property
    def columns(self) -> Mapping[str, Column]:
        """Values, `(particle,)` each."""

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """How those are shown that can be."""


def kind_of(name: str, values: Column) -> ColumnKind | None:
    """How a column is shown; None if it is neither numbers nor a few texts.

    Args:
        name: Of the column.
        values: `(particle,)`.
    """
    label, unit = _label(name)
    if values.dtype.kind == "f":
        return ColumnKind(name, label, unit, "amount")
    if values.dtype.kind in "iub":
        found = _few(values)
        if found is None or name in {"particle", "row", "images"}:
            return ColumnKind(name, label, unit, "amount")
        numbers = tuple(float(value) for value in found)
        return ColumnKind(
            name, label, unit, "class", numbers, tuple(f"{value:g}" for value in numbers)
        )
    found = _few(values.astype(str)) if values.dtype.kind in "OUS" else None
    if found is None:
        return None
    codes = tuple(float(code) for code in range(len(found)))
    return ColumnKind(name, label, unit, "class", codes, tuple(str(value) for value in found))


def named_column(source: str, opened: Columns, name: str) -> tuple[Column, ColumnKind]:
    """A column that can be shown.

    Args:
        source: What it is of, for the error.
        opened: Where it is.
        name: Of the column.

    Raises:
        InputFileError: If there is none of this name.
    """
    if name not in opened.kinds:
        known = ", ".join(sorted(opened.kinds)[:12])
        raise InputFileError(
            f"{source}: no column {name[:60]!r} that can be drawn; there are {known} ..."
        )
    return opened.columns[name], opened.kinds[name]


def packed_columns(source: str, opened: Columns, names: Sequence[str]) -> bytes:
    """Columns one after the other, float32 little endian; NaN is not known.

    Args:
        source: What they are of, for errors.
        opened: Where they are.
        names: Of up to 8 columns.

    Raises:
        InputFileError: If there is no such column.
        MetadataError: If there are too many or none.
    """
    if not 0 < len(names) <= MOST_COLUMNS:
        raise MetadataError(
            f"{source}: {len(names)} columns are asked for, expected 1 to {MOST_COLUMNS}; ask again"
        )
    return b"".join(as_sent(*named_column(source, opened, name)).tobytes() for name in names)


def as_sent(values: Column, kind: ColumnKind) -> Floats:
    """A column in single precision; of texts the places of their labels; NaN is not known."""
    if values.dtype.kind in "iufb":
        with np.errstate(over="ignore"):
            return np.asarray(values, "<f4")
    return np.searchsorted(np.asarray(kind.labels), values.astype(str)).astype("<f4")


def _few(values: Column) -> Column | None:
    """The different values, if they are few."""
    # most columns of many values are known as such by their first few
    if len(np.unique(values[:_SAMPLE])) > MOST_CLASSES:
        return None
    found = np.unique(values)
    return None if len(found) > MOST_CLASSES else found


def _label(name: str) -> tuple[str, str]:
    if name in _NAMES:
        return _NAMES[name]
    numbered = re.fullmatch(r"([a-z]+)_(\d+)", name)
    if numbered and numbered[1] in _NUMBERED:
        return f"{_NUMBERED[numbered[1]]} {numbered[2]}", ""
    return name, ""
