"""Tables that jobs write, read as curves: Fourier shell correlation, Guinier plot, precision."""

import csv
import math
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import open_plain

MOST_BYTES = 32 * 2**20
MOST_ROWS = 20_000
MOST_CURVES = 24
THRESHOLDS = (0.143, 0.5)
_BOOKKEEPING = {"shell", "spatial_frequency", "resolution"}
_GUINIER = {
    "ln_amplitude": "mean of halves",
    "ln_weighted": "weighted by the FSC",
    "ln_sharpened": "sharpened",
    "ln_line": "fitted line",
}
Kind = Literal["fsc", "guinier", "table"]


class Axis(BaseModel):
    """An axis of a plot; `scale` is linear, log, resolution (1/Å) or square-resolution (1/Å²)."""

    label: str
    unit: str = ""
    scale: str = "linear"
    range: tuple[float, float] | None = None


class Curve(BaseModel):
    """One line; None where it has no value."""

    name: str
    x: list[float | None]
    y: list[float | None]
    dashed: bool = False


class Mark(BaseModel):
    """A line across the plot at a value of y or x."""

    label: str
    y: float | None = None
    x: float | None = None


class CurveTable(BaseModel):
    """Curves of one file and how they are drawn."""

    kind: Kind
    title: str
    x: Axis
    y: Axis
    series: list[Curve]
    marks: list[Mark] = []
    note: str = ""


Columns = dict[str, list[str]]


def read_curves(path: Path) -> CurveTable:
    """Read a CSV of curves; what it shows is told from its columns.

    Raises:
        InputFileError: If it is not such a table, or too large for one.
    """
    columns = _columns(path)
    if "inverse_square_resolution" in columns:
        return _guinier(path, columns)
    if "spatial_frequency" in columns:
        return _correlations(path, columns)
    if {"recall", "precision"} <= columns.keys():
        return _precision(path, columns)
    return _plain(path, columns)


def correlation_table(title: str, curves: Sequence[Curve]) -> CurveTable:
    """Correlations over spatial frequency, with both thresholds."""
    return CurveTable(
        kind="fsc",
        title=title,
        x=Axis(label="resolution", unit="Å", scale="resolution"),
        y=Axis(label="Fourier shell correlation", range=(_lowest(curves), 1.05)),
        series=list(curves),
        marks=[Mark(label=f"{height:g}", y=height) for height in THRESHOLDS],
    )


def guinier_table(title: str, curves: Sequence[Curve], note: str = "") -> CurveTable:
    """Logarithms of amplitudes over 1/d²."""
    return CurveTable(
        kind="guinier",
        title=title,
        x=Axis(label="resolution", unit="Å", scale="square-resolution"),
        y=Axis(label="ln amplitude"),
        series=list(curves),
        note=note,
    )


def sampled(
    values: Sequence[float | None], count: Sequence[float | None] = ()
) -> list[float | None]:
    """Correlations with None for shells that hold no samples.

    A table that does not count them has none where it begins with zeros: a correlation of exactly
    nothing stands for a region that the first shells do not reach.

    Args:
        values: Of each shell; the first is 1 by convention and is kept.
        count: Samples of each shell, if the table has them.
    """
    if len(count) == len(values):
        return [
            value if i == 0 or number else None
            for i, (value, number) in enumerate(zip(values, count, strict=True))
        ]
    first = next((i for i, value in enumerate(values[1:], 1) if value != 0.0), len(values))
    return [None if 0 < i < first else value for i, value in enumerate(values)]


def finite(values: Iterable[object]) -> list[float | None]:
    """Numbers that JSON can hold: None for all else."""
    return [_number(value) for value in values]


def _guinier(path: Path, columns: Columns) -> CurveTable:
    x = finite(columns["inverse_square_resolution"])
    curves = [
        Curve(name=name, x=x[1:], y=finite(columns[key])[1:], dashed=key == "ln_line")
        for key, name in _GUINIER.items()
        if key in columns
    ]
    known = [curve for curve in curves if any(value is not None for value in curve.y)]
    return guinier_table(_title(path), known)


def _correlations(path: Path, columns: Columns) -> CurveTable:
    frequency = finite(columns["spatial_frequency"])
    names = [name for name in columns if name not in _BOOKKEEPING and not name.endswith("_count")]
    curves = []
    for name in names[:MOST_CURVES]:
        count = finite(columns.get(f"{name}_count", ()))
        values = sampled(finite(columns[name]), count)
        curves.append(Curve(name=name.replace("_", " "), x=frequency, y=values))
    return correlation_table(_title(path), curves)


def _precision(path: Path, columns: Columns) -> CurveTable:
    objects = columns.get("object") or ["all"] * len(columns["recall"])
    recall, precision = finite(columns["recall"]), finite(columns["precision"])
    curves = []
    for name in list(dict.fromkeys(objects))[:MOST_CURVES]:
        rows = [i for i, each in enumerate(objects) if each == name]
        curve = Curve(name=name, x=[recall[i] for i in rows], y=[precision[i] for i in rows])
        curves.append(curve)
    return CurveTable(
        kind="table",
        title=_title(path),
        x=Axis(label="recall"),
        y=Axis(label="precision", range=(0.0, 1.05)),
        series=curves,
    )


def _plain(path: Path, columns: Columns) -> CurveTable:
    numeric = {name: finite(texts) for name, texts in columns.items()}
    known = [name for name, values in numeric.items() if any(v is not None for v in values)]
    if len(known) < 2:
        raise InputFileError(
            f"{path}: holds fewer than two columns of numbers; expected a table of curves, such as "
            "the fsc.csv of a job"
        )
    first, *rest = known
    return CurveTable(
        kind="table",
        title=_title(path),
        x=Axis(label=first),
        y=Axis(label=rest[0] if len(rest) == 1 else ""),
        series=[Curve(name=name, x=numeric[first], y=numeric[name]) for name in rest[:MOST_CURVES]],
    )


def _columns(path: Path) -> Columns:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputFileError(
                f"{path}: {size / 2**20:.0f} MiB, expected a table of curves below "
                f"{MOST_BYTES // 2**20} MiB; open particles and latents in their own viewers"
            )
        with TextIOWrapper(open_plain(path), encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            body = [row for _, row in zip(range(MOST_ROWS + 1), rows, strict=False)]
    except (OSError, ValueError, csv.Error) as error:
        raise InputFileError(
            f"{path}: cannot be read as a CSV table ({error}); open the table of a job"
        ) from error
    if not header or not body:
        raise InputFileError(f"{path}: holds no rows; expected a header and a row for each shell")
    if len(body) > MOST_ROWS:
        raise InputFileError(
            f"{path}: more than {MOST_ROWS} rows, expected a table of curves; open particles and "
            "latents in their own viewers"
        )
    return {
        name.strip(): [row[i] if i < len(row) else "" for row in body]
        for i, name in enumerate(header[: 4 * MOST_CURVES])
    }


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # text and numbers of any kind
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _lowest(curves: Sequence[Curve]) -> float:
    values = [value for curve in curves for value in curve.y if value is not None]
    return max(-1.05, min(-0.05, min(values, default=0.0) - 0.05))


def _title(path: Path) -> str:
    """The file with its folder, which tells runs apart."""
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name
