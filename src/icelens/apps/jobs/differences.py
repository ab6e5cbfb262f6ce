"""Say in words and columns what tells jobs apart."""

from collections.abc import Iterator, Sequence

from icelens.core.errors import IcelensError
from icelens.jobs.project.difference import Row, compare
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.project import Project
from icelens.jobs.record import read_record

_WIDTH = 32


def described(project: Project, entries: Sequence[Entry]) -> str:
    """The first setting that differs, and a table of all that do."""
    difference = compare({entry.name: _record(project, entry) for entry in entries})
    lines = ["no setting differs"]
    if difference.first is not None:
        values = " | ".join(value or "-" for value in difference.first.values)
        lines = [f"first difference: {difference.first.name}: {values}"]
    groups = {
        "settings": difference.settings,
        "inputs": difference.inputs,
        "versions": difference.versions,
        "outcome": difference.outcome,
    }
    for name, rows in groups.items():
        differing = [row for row in rows if row.differs]
        if differing:
            lines += ["", *_table(name, difference.labels, differing)]
    return "\n".join(lines)


def _record(project: Project, entry: Entry) -> dict[str, object]:
    """What the run wrote down; of one that has not begun, what the queue knows."""
    known = {"job": entry.job, "state": entry.state, "config": dict(entry.settings)}
    try:
        record = read_record(project.absolute(entry.folder))
    except IcelensError:
        record = None
    return {**known, **(record or {})}


def _table(name: str, labels: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    cells = [
        [name, *labels],
        *([row.name, *(_cut(value or "") for value in row.values)] for row in rows),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        yield "  ".join(padded).rstrip()


def _cut(text: str) -> str:
    line = text.replace("\n", " ") or "-"
    return line if len(line) <= _WIDTH else "…" + line[-_WIDTH + 1 :]
