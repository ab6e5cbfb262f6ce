"""Metrics of a run as curves: only what was appended is read, never more than a plot can show."""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import open_plain
from icelens.core.io.plain_json import is_text
from icelens.jobs.journal import METRICS_NAME

MOST_POINTS = 2000
"""Of one curve; more than a screen has columns."""
MOST_BYTES = 2 * 2**20
"""Read at once; what is left over the next question asks for."""
MOST_SERIES = 64
MOST_PARTS = 200
_NAME_LENGTH = 100
_DEEPEST_PART = 2
_BEFORE_SAMPLING = 2**18
"""Up to this size a file is read whole for a card's curve."""


@dataclass
class Series:
    """One curve: values over steps; None where a value was not finite."""

    steps: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)

    def add(self, step: int, value: float | None) -> None:
        """Append a value; a run that was resumed does steps again, and the later ones count."""
        if self.steps and self.steps[-1] >= step:
            self._forget(step)
        self.steps.append(step)
        self.values.append(value)

    def _forget(self, first: int) -> None:
        while self.steps and self.steps[-1] >= first:
            self.steps.pop()
            self.values.pop()


@dataclass(frozen=True)
class Appended:
    """What a file of metrics holds after an offset.

    Attributes:
        series: Curves by the name of their metric, thinned.
        offset: Byte up to which was read; lines that are not finished are left for later.
        file_id: Changes when the file is replaced by another.
        is_reset: Reading began anew: what was read before belongs to another file.
        is_more: The file goes on; ask again.
    """

    series: dict[str, Series]
    offset: int = 0
    file_id: str = ""
    is_reset: bool = False
    is_more: bool = False


def appended_metrics(folder: Path, *, after: int = 0, file_id: str = "") -> Appended:
    """Read what was written behind an offset, at most some MiB of it.

    Args:
        folder: Of the run, or of a part of it.
        after: The `offset` of the last answer.
        file_id: The `file_id` of the last answer.

    Raises:
        InputFileError: If the file is there but cannot be read.
    """
    path = folder / METRICS_NAME
    try:
        with open_plain(path) as file:
            status = os.fstat(file.fileno())
            found_id = f"{status.st_dev:x}-{status.st_ino:x}"
            is_other = after > status.st_size or (file_id not in ("", found_id))
            start = 0 if is_other else after
            file.seek(start)
            block = file.read(MOST_BYTES)
    except FileNotFoundError:
        return Appended({}, is_reset=after > 0)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror})") from error
    end = block.rfind(b"\n") + 1
    if end == 0 and len(block) == MOST_BYTES:
        end = len(block)  # no line of ours is that long
    series = _curves(block[:end])
    offset = start + end
    is_more = end > 0 and offset < status.st_size and len(block) == MOST_BYTES
    return Appended(
        {name: thinned(each) for name, each in series.items()},
        offset,
        found_id,
        is_other and after > 0,
        is_more,
    )


def thinned(series: Series, most: int = MOST_POINTS) -> Series:
    """A curve of at most `most` points that keeps the lowest and highest of each stretch."""
    count = len(series.steps)
    if count <= most:
        return series
    kept = Series()
    num_stretches = most // 2
    for stretch in range(num_stretches):
        first, last = (i * count // num_stretches for i in (stretch, stretch + 1))
        for place in _extremes(series.values, first, last):
            kept.steps.append(series.steps[place])
            kept.values.append(series.values[place])
    return kept


def parts_of(folder: Path) -> list[str]:
    """Folders below a run that keep metrics of their own, such as folds and trials."""
    found = sorted(_parts_below(folder, "", _DEEPEST_PART), key=_natural)
    return found[:MOST_PARTS]


def sampled_metric(folder: Path, most: int = 60) -> tuple[str, list[float | None]]:
    """Name and some values of the curve that tells most of a run, read in a few places."""
    path = folder / METRICS_NAME
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            block = file.read(_BEFORE_SAMPLING)
            if size > _BEFORE_SAMPLING:
                block = b"\n".join(_line_at(file, size * i // most) for i in range(most))
    except OSError:
        return "", []
    series = _curves(block)
    if not series:
        return "", []
    name = next((each for each in ("loss", "score") if each in series), next(iter(series)))
    return name, thinned(series[name], most).values


def _curves(block: bytes) -> dict[str, Series]:
    series: dict[str, Series] = {}
    for row in _rows(block):
        step = _step(row.get("step")) if isinstance(row, dict) else None
        if step is None:
            continue
        for name, value in row.items():
            known = series.get(name)
            if known is None:
                if not _is_new_curve(name, value, len(series)):
                    continue
                known = series[name] = Series()
            if value is None or type(value) in (int, float):
                known.add(step, _finite(value))
    return series


def _is_new_curve(name: str, value: object, num_known: int) -> bool:
    is_number = (value is None or type(value) in (int, float)) and is_text(name)
    return is_number and name != "step" and num_known < MOST_SERIES and len(name) <= _NAME_LENGTH


def _rows(block: bytes) -> list[Any]:
    """What the lines hold; read at once, which is several times faster, if all can be read."""
    lines = [line for line in block.split(b"\n") if line]
    try:
        rows = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        return [_row(line) for line in lines]
    return rows if len(rows) == len(lines) else [_row(line) for line in lines]


def _row(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _step(value: object) -> int | None:
    if type(value) is int and abs(value) < 2**53:  # what a browser holds exactly
        return value
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None


def _finite(value: float | None) -> float | None:
    try:
        return float(value) if value is not None and math.isfinite(value) else None
    except OverflowError:
        return None


def _extremes(values: list[float | None], first: int, last: int) -> list[int]:
    """Places of the lowest and the highest value; of a gap where there is nothing else."""
    known = [(value, i) for i in range(first, last) if (value := values[i]) is not None]
    if not known:
        return [first]
    return sorted({min(known)[1], max(known)[1]})


def _parts_below(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            folders = (e.name for e in entries if e.is_dir(follow_symlinks=False))
            inside = [name for name in folders if is_text(name)][:1000]
    except OSError:
        return
    for name in inside:
        if (folder / name / METRICS_NAME).is_file():
            yield f"{prefix}{name}"
        if depth > 1:
            yield from _parts_below(folder / name, f"{prefix}{name}/", depth - 1)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Trials in the order of their numbers."""
    digits = "".join(c if c.isdigit() else " " for c in name).split()
    return (*((int(each[:18]), "") for each in digits[-1:]), (0, name))


def _line_at(file: Any, place: int) -> bytes:  # noqa: ANN401 - a buffered reader
    file.seek(place)
    if place:
        file.readline(_BEFORE_SAMPLING)
    line: bytes = file.readline(_BEFORE_SAMPLING)
    return line
