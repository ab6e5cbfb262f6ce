"""The list of tomograms that all restore jobs share: a frozen table, row by row in house words."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from icelens.core.data.index_list import parse_indices
from icelens.core.data.tomogram_columns import (
    COLUMN_OF_FIELD,
    ISONET2_COLUMNS,
    KIND_OF_FIELD,
    REMEDY_OF_FIELD,
    column_of,
    is_absent,
    read_cell,
)
from icelens.core.errors import InputFileError, MetadataError

if TYPE_CHECKING:
    import pandas

_NEEDED = (*(field for field, kind in KIND_OF_FIELD.items() if kind != "optional count"),)


@dataclass(frozen=True)
class TomogramRow:
    """One tomogram: its files (None where there is none yet) and how it was recorded.

    `pixel_size` in Å/px, `defocus` in Å at zero tilt, `voltage` in kV, `spherical_aberration` in
    mm, `amplitude_contrast` a fraction, `tilt_min` and `tilt_max` in degrees; `num_subtomograms` is
    drawn per epoch, None if positions come from `picks`.
    """

    index: int
    pixel_size: float
    full: Path | None = None
    even: Path | None = None
    odd: Path | None = None
    defocus: float = 0.0
    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.1
    deconvolved: Path | None = None
    mask_boundary: Path | None = None
    mask: Path | None = None
    tilt_min: float = -60.0
    tilt_max: float = 60.0
    picks: Path | None = None
    num_subtomograms: int | None = None
    corrected: Path | None = None
    denoised: Path | None = None
    ground_truth: Path | None = None
    tilt_file: Path | None = None
    source: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what no microscope records."""
        where = self.where
        if self.pixel_size <= 0:
            raise MetadataError(f"{where}: rlnPixelSize is {self.pixel_size}, expected Å above 0")
        if not self.tilt_min < self.tilt_max:
            raise MetadataError(
                f"{where}: tilt range {self.tilt_min:g} to {self.tilt_max:g} is reversed or empty, "
                "expected rlnTiltMin below rlnTiltMax; swap them"
            )
        if max(-self.tilt_min, self.tilt_max) > 90:
            raise MetadataError(
                f"{where}: tilt range {self.tilt_min:g} to {self.tilt_max:g} is impossible, "
                "expected angles from -90 to 90 degrees; correct them"
            )
        if self.num_subtomograms is not None and self.num_subtomograms < 1:
            raise MetadataError(
                f"{where}: rlnNumberSubtomo is {self.num_subtomograms}, expected 1 or more; "
                "correct it, or write None to share 3000 among all rows"
            )
        if not 0 <= self.amplitude_contrast <= 1 or self.voltage <= 0:
            raise MetadataError(
                f"{where}: rlnAmplitudeContrast {self.amplitude_contrast:g} or rlnVoltage "
                f"{self.voltage:g} is impossible, expected a fraction and kV above 0"
            )

    @property
    def where(self) -> str:
        """File and row, as errors begin."""
        row = f"row with rlnIndex {self.index}"
        return f"{self.source}: {row}" if self.source else row

    def require(self, field: str) -> Path:
        """The existing file of `field`, such as `even` or `mask`.

        Raises:
            MetadataError: If the row has none, naming row, column and the job that fills it.
            InputFileError: If the row names a file that is not there.
        """
        value = getattr(self, field)
        column = column_of(field)
        if value is None:
            remedy = REMEDY_OF_FIELD.get(field, "write a path into the STAR file")
            raise MetadataError(f"{self.where}: {column} is None; {remedy}")
        path = Path(value)
        if not path.exists():
            raise InputFileError(
                f"{self.where}: {column} names {path}, which does not exist; correct the path or "
                "start from the folder that the STAR file's paths are relative to"
            )
        return path


@dataclass(frozen=True)
class TomogramList:
    """IsoNet2's table of tomograms; columns it does not know are kept untouched.

    Iterate to get each `TomogramRow`. Relative paths are looked up from the working directory
    first, then from the folder of `source`, the STAR file.
    """

    table: "pandas.DataFrame"
    source: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a table that lacks columns, holds impossible values or an index twice."""
        name = self.source or "tomogram list"
        if self.table.empty:
            raise MetadataError(
                f"{name}: no rows, expected one for each tomogram; make the list again with "
                "`icelens restore prepare`"
            )
        missing = [column_of(field) for field in _NEEDED if column_of(field) not in self.table]
        if missing:
            raise MetadataError(
                f"{name}: column {', '.join(missing)} is missing; add it or make the list again "
                "with `icelens restore prepare`"
            )
        if not {column_of(field) for field in ("full", "even")} & set(self.table.columns):
            raise MetadataError(
                f"{name}: neither rlnTomoName nor rlnTomoReconstructedTomogramHalf1 is there; "
                "make the list again with `icelens restore prepare`"
            )
        indices = [row.index for row in self]
        for index in indices:
            if indices.count(index) > 1:
                raise MetadataError(f"{name}: rlnIndex {index} comes twice; number rows uniquely")

    @classmethod
    def from_rows(cls, rows: Iterable[TomogramRow], source: Path | None = None) -> "TomogramList":
        """A list in IsoNet2's column order; an appended column appears only if a row fills it."""
        import pandas as pd

        listed = list(rows)
        columns: dict[str, list[Any]] = {}
        for field, column in COLUMN_OF_FIELD.items():
            values = [getattr(row, field) for row in listed]
            if column in ISONET2_COLUMNS or any(value is not None for value in values):
                columns[column] = [_cell(value) for value in values]
        return cls(pd.DataFrame(columns), source)

    def __len__(self) -> int:
        """Number of tomograms."""
        return len(self.table)

    def __iter__(self) -> Iterator[TomogramRow]:
        """Each tomogram, in the table's order."""
        known = {f: c for f, c in COLUMN_OF_FIELD.items() if c in self.table.columns}
        for position in range(len(self.table)):
            cells = self.table.iloc[position]
            name = self.source or "tomogram list"
            values: dict[str, Any] = {
                field: read_cell(f"{name}: row {position + 1}", field, cells[column])
                for field, column in known.items()
            }
            found: dict[str, Any] = {
                k: self._located(v) if isinstance(v, Path) else v for k, v in values.items()
            }
            yield TomogramRow(**found, source=self.source)

    def select(self, indices: str | None) -> "TomogramList":
        """The rows whose rlnIndex is named: `all`, or a list such as `1,3-5`.

        Raises:
            MetadataError: If the text is no such list, or names a row that is not there.
        """
        present = [row.index for row in self]
        chosen = parse_indices(indices, present, name=str(self.source or "tomogram list"))
        keep = [index in chosen for index in present]
        return replace(self, table=self.table[keep].reset_index(drop=True))

    def with_column(self, field: str, values: Mapping[int, object]) -> "TomogramList":
        """A list with some cells of one column changed; a new column starts as `None` elsewhere.

        Args:
            field: House word (`mask`) or the name of a STAR column.
            values: New value for each rlnIndex.

        Raises:
            MetadataError: If an index is not in the list.
        """
        column = column_of(field)
        present = [row.index for row in self]
        unknown = sorted(set(values) - set(present))
        if unknown:
            raise MetadataError(
                f"{self.source or 'tomogram list'}: no row has rlnIndex {unknown[0]}; "
                f"there are {present}"
            )
        table = self.table.copy()
        old = list(table[column]) if column in table else [None] * len(present)
        new = {index: self._as_listed(value) for index, value in values.items()}
        cells = [new.get(index, cell) for index, cell in zip(present, old, strict=True)]
        table[column] = _column([_cell(value) for value in cells])
        return replace(self, table=table)

    def _as_listed(self, value: object) -> object:
        """A new path in the terms of the others: from the STAR's folder if theirs start there."""
        if not isinstance(value, Path) or value.is_absolute() or self.source is None:
            return value
        columns = [column_of(name) for name in ("full", "even") if column_of(name) in self.table]
        others = [Path(str(cell)) for name in columns for cell in self.table[name]]
        folder = self.source.parent
        from_star = [p for p in others if self._located(p) != p]
        return Path(os.path.relpath(value, folder)) if from_star else value

    def _located(self, path: Path) -> Path:
        """The path seen from the working directory if it exists there, else from the STAR's."""
        if path.is_absolute() or path.exists() or self.source is None:
            return path
        beside = self.source.parent / path
        return beside if beside.exists() else path


def _cell(value: object) -> object:
    """A value as the table stores it."""
    if is_absent(value):
        return "None"
    return str(value) if isinstance(value, Path) else value


def _column(cells: list[object]) -> "np.ndarray":
    """Cells as numbers if all are, else as plain objects, so that no text is changed."""
    import pandas as pd

    numeric = all(isinstance(cell, int | float) for cell in cells)
    return pd.Series(cells, dtype=None if numeric else "object").to_numpy()
