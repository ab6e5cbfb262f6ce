"""Writing to the table of jobs: every change of a state says from which state it may be made."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from icelens.jobs.project.entry import COLUMNS, Entry, State, entry_of

_JSON = {"settings", "variables", "progress"}


def insert(connection: sqlite3.Connection, values: Mapping[str, Any]) -> int:
    """Add a job; return its number."""
    columns, marks = ", ".join(values), ", ".join("?" for _ in values)
    cursor = connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks})", _stored(values))
    assert cursor.lastrowid is not None, "an insert gives a row"
    return cursor.lastrowid


def update(
    connection: sqlite3.Connection,
    number: int,
    values: Mapping[str, Any],
    *,
    only_from: Iterable[State] | None = None,
    attempt: int | None = None,
) -> bool:
    """Change a job if it still is in one of these states, and at this attempt.

    Returns:
        Whether it was: another process may have been faster.
    """
    changes = ", ".join(f"{name} = ?" for name in values)
    where, conditions = ["number = ?"], [number]
    if only_from is not None:
        states = list(only_from)
        where.append(f"state IN ({', '.join('?' for _ in states)})")
        conditions += states  # type: ignore[arg-type]
    if attempt is not None:
        where.append("attempt = ?")
        conditions.append(attempt)
    cursor = connection.execute(
        f"UPDATE jobs SET {changes} WHERE {' AND '.join(where)}",
        [*_stored(values), *conditions],
    )
    return cursor.rowcount == 1


def set_waits(connection: sqlite3.Connection, number: int, after: Iterable[int]) -> None:
    """Replace what a job waits for."""
    connection.execute("DELETE FROM waits WHERE number = ?", (number,))
    connection.executemany(
        "INSERT OR IGNORE INTO waits VALUES (?, ?)", [(number, other) for other in after]
    )


def find(connection: sqlite3.Connection, number: int) -> Entry | None:
    """A job by its number."""
    row = connection.execute(f"SELECT {COLUMNS} FROM jobs WHERE number = ?", (number,)).fetchone()
    return None if row is None else entry_of(row)


def _stored(values: Mapping[str, Any]) -> list[Any]:
    return [
        json.dumps(value, ensure_ascii=False) if name in _JSON and value != "" else value
        for name, value in values.items()
    ]
