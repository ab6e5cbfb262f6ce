"""What tells runs apart: settings, inputs, versions, times; the first that differs on top."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from icelens.jobs.report import duration
from icelens.jobs.settings import as_text

_WHERE = ("output",)
"""Settings that always differ and explain nothing; they go last among those that differ."""
_OUTCOME = ("job", "state", "cause", "started", "duration", "memory", "machine", "gpus")


@dataclass(frozen=True)
class Row:
    """One thing of all runs, as text; None for those that do not have it."""

    name: str
    values: tuple[str | None, ...]
    differs: bool

    @property
    def is_everywhere(self) -> bool:
        """Whether all runs have it."""
        return None not in self.values


@dataclass(frozen=True)
class Difference:
    """Runs beside each other; in each group the rows that differ come first.

    Attributes:
        labels: Of the runs, such as `J3`.
        settings: By dotted name, in the order in which the job declares them.
        inputs: Files by the setting that names them; they differ if their contents do.
        versions: Of icelens, Python and packages.
        outcome: State, times, memory and machine.
    """

    labels: tuple[str, ...]
    settings: tuple[Row, ...]
    inputs: tuple[Row, ...]
    versions: tuple[Row, ...]
    outcome: tuple[Row, ...]

    @property
    def first(self) -> Row | None:
        """The first setting that all have and that differs, if any does."""
        return next((row for row in self.settings if row.differs and row.is_everywhere), None)


def compare(records: Mapping[str, Mapping[str, Any]], *, root: str = "") -> Difference:
    """Compare runs by their records.

    Args:
        records: What `run.json` says, by the label of the run; `config` alone is enough, and what
            is not of the expected form counts as absent.
        root: Left out where a value begins with it, such as the folder of the project with a `/`.
    """
    labels = tuple(records)
    each = list(records.values())
    settings = [_flat(_mapping(record.get("config"))) for record in each]
    return Difference(
        labels,
        _below(root, _settings_rows(settings)),
        _below(root, _input_rows([_files(record) for record in each])),
        _rows([_texts(_mapping(record.get("versions"))) for record in each]),
        _outcome_rows([_outcome(record) for record in each]),
    )


def _below(root: str, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows with paths as the project has them; whether they differ stays."""
    return tuple(
        replace(row, values=tuple(v if v is None else v.removeprefix(root) for v in row.values))
        for row in rows
    )


def _settings_rows(settings: Sequence[Mapping[str, str]]) -> tuple[Row, ...]:
    rows = _rows(settings)
    return tuple(sorted(rows, key=lambda row: (*_rank(row), row.name in _WHERE)))


def _input_rows(files: Sequence[Mapping[str, Mapping[str, Any]]]) -> tuple[Row, ...]:
    rows = []
    for name in _names(files):
        found = [run.get(name) for run in files]
        contents = {_content(file) for file in found}
        rows.append(Row(name, tuple(_shown(file) for file in found), len(contents) > 1))
    return _sorted(rows)


def _rows(columns: Sequence[Mapping[str, str]]) -> tuple[Row, ...]:
    rows = []
    for name in _names(columns):
        values = tuple(column.get(name) for column in columns)
        rows.append(Row(name, values, len(set(values)) > 1))
    return _sorted(rows)


def _outcome_rows(columns: Sequence[Mapping[str, str | None]]) -> tuple[Row, ...]:
    rows = []
    for name in _OUTCOME:
        values = tuple(column.get(name) for column in columns)
        if any(values):
            rows.append(Row(name, values, len(set(values)) > 1))
    return tuple(rows)


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=_rank))


def _rank(row: Row) -> tuple[bool, bool]:
    """What differs first, and of that what all have."""
    return not row.differs, not row.is_everywhere


def _names(columns: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Names of all columns in the order of their first appearance."""
    return tuple(dict.fromkeys(name for column in columns for name in column))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = as_text(value)
    return flat


def _files(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Input files by their setting; several of one setting are numbered."""
    inputs = record.get("inputs")
    files: dict[str, Mapping[str, Any]] = {}
    for file in inputs if isinstance(inputs, list) else []:
        if not isinstance(file, Mapping):
            continue
        name = base = str(file.get("setting", "found on the way"))
        number = 1
        while name in files:
            number += 1
            name = f"{base} {number}"
        files[name] = file
    return files


def _content(file: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What tells contents apart: the hash, or else all that is known."""
    if file is None:
        return ()
    if file.get("sha256"):
        return ("sha256", str(file["sha256"]), str(file.get("size")))
    return tuple(str(file.get(key)) for key in ("path", "size", "modified", "num_files", "found"))


def _shown(file: Mapping[str, Any] | None) -> str | None:
    if file is None:
        return None
    path, digest = str(file.get("path", "")), str(file.get("sha256", ""))[:8]
    missing = " (not found)" if file.get("found") is False else ""
    return f"{path}{missing}" + (f", {digest}" if digest else "")


def _outcome(record: Mapping[str, Any]) -> dict[str, str | None]:
    machine = _mapping(record.get("machine"))
    seconds, memory = _number(record.get("seconds")), _number(record.get("peak_memory_bytes"))
    cores, total = _number(machine.get("cores")), _number(machine.get("memory_bytes"))
    kind = [] if cores is None else [f"{cores:g} cores"]
    kind += [] if total is None else [f"{total / 2**30:.1f} GiB"]
    gpus = machine.get("gpus")
    return {
        **{key: str(record.get(key) or "") or None for key in ("job", "state", "cause", "started")},
        "duration": None if seconds is None else duration(seconds),
        "memory": None if memory is None else f"{memory / 2**30:.2f} GiB at most",
        "machine": ", ".join(kind) or None,
        "gpus": as_text(gpus) if gpus else None,
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): as_text(value) for name, value in values.items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float(value) if is_number else math.nan  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
