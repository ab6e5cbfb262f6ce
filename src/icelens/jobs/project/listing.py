"""What jobs a project has."""

import re
from collections.abc import Sequence
from typing import Literal, get_args

from icelens.core.errors import IcelensError
from icelens.jobs.project import changes
from icelens.jobs.project.entry import COLUMNS, STATES, Entry, State, entry_of
from icelens.jobs.project.project import Project

Sort = Literal["number", "state", "title", "job", "lane", "started", "ended", "duration", "queue"]
SORTS: tuple[Sort, ...] = get_args(Sort)
_STATE_ORDER = ("running", "queued", "waiting", "failed", "stopped", "draft", "done")
_SORT_COLUMNS: dict[Sort, str] = {
    "state": "CASE state "
    + " ".join(f"WHEN '{state}' THEN {place}" for place, state in enumerate(_STATE_ORDER))
    + " END",
    "title": "title COLLATE NOCASE",
    "job": "job",
    "lane": "lane",
    "started": "started",
    "ended": "ended",
    "duration": "julianday(coalesce(ended, 'now')) - julianday(started)",
}


class UnknownEntryError(IcelensError):
    """A job of that number does not exist in the project."""


class Listing:
    """The jobs of one project, to be looked at."""

    def __init__(self, project: Project) -> None:
        """Nothing is read before it is asked for."""
        self.project = project

    def get(self, number: int) -> Entry:
        """A job by its number.

        Raises:
            UnknownEntryError: If there is none.
        """
        with self.project.connection() as connection:
            entry = changes.find(connection, number) if abs(number) < 2**62 else None
        if entry is None:
            raise UnknownEntryError(
                f"J{number}: no such job in {self.project.name}; see: icelens jobs list"
            )
        return entry

    def entries(
        self,
        *,
        states: Sequence[State] = (),
        text: str = "",
        task: str = "",
        numbers: Sequence[int] = (),
        limit: int = 100,
        offset: int = 0,
        is_removed: bool = False,
        sort: Sort = "number",
        is_ascending: bool = False,
    ) -> list[Entry]:
        """Jobs, the latest first if nothing else is asked for.

        Args:
            states: Only these; all if empty.
            text: Only jobs whose title, name or number contain it.
            task: Only of this capability.
            numbers: Only these; all if empty.
            limit: At most so many.
            offset: After so many.
            is_removed: Those in the trash instead of the others.
            sort: What orders them; `queue` is the order in which they will start.
            is_ascending: The lowest first; does not concern `queue`.
        """
        where, values = _conditions(states, text, task, numbers, is_removed=is_removed)
        # numbers first: sorting whole rows of 10,000 jobs takes ten times as long
        query = (
            f"SELECT number FROM jobs WHERE {where} "
            f"ORDER BY {_order(sort, is_ascending=is_ascending)} "
            f"LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        with self.project.connection() as connection:
            chosen = [row["number"] for row in connection.execute(query, values)]
            listed = ", ".join(map(str, chosen))
            rows = connection.execute(f"SELECT {COLUMNS} FROM jobs WHERE number IN ({listed})")
            found = {row["number"]: entry_of(row) for row in rows}
        return [found[number] for number in chosen if number in found]

    def count(
        self,
        *,
        states: Sequence[State] = (),
        text: str = "",
        task: str = "",
        is_removed: bool = False,
    ) -> int:
        """How many jobs there are of those that `entries` would list with the same arguments."""
        where, values = _conditions(states, text, task, (), is_removed=is_removed)
        query = f"SELECT count(*) AS count FROM jobs WHERE {where}"
        with self.project.connection() as connection:
            return int(connection.execute(query, values).fetchone()["count"])

    def waiting_for(self, number: int) -> list[Entry]:
        """Jobs that were told to wait for another, whatever became of them since."""
        query = (
            f"SELECT {COLUMNS} FROM jobs WHERE removed IS NULL AND number IN "
            "(SELECT number FROM waits WHERE after = ?) ORDER BY number"
        )
        with self.project.connection() as connection:
            return [entry_of(row) for row in connection.execute(query, (number,))]

    def lane_counts(self) -> dict[str, dict[State, int]]:
        """How many jobs run, are queued and wait in each lane; the default one is called ``."""
        query = (
            "SELECT lane, state, count(*) AS count FROM jobs WHERE removed IS NULL "
            "AND state IN ('running', 'queued', 'waiting') GROUP BY lane, state"
        )
        found: dict[str, dict[State, int]] = {}
        with self.project.connection() as connection:
            for row in connection.execute(query):
                found.setdefault(row["lane"], {})[row["state"]] = row["count"]
        return found

    def latest_of_each_job(self, state: State = "done") -> dict[str, Entry]:
        """The latest job of each kind in a state, by its name such as `restore.refine`."""
        query = (
            f"SELECT {COLUMNS} FROM jobs WHERE number IN (SELECT max(number) FROM jobs "
            "WHERE removed IS NULL AND state = ? GROUP BY job)"
        )
        with self.project.connection() as connection:
            return {row["job"]: entry_of(row) for row in connection.execute(query, (state,))}

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state, without the trash."""
        query = "SELECT state, count(*) AS count FROM jobs WHERE removed IS NULL GROUP BY state"
        with self.project.connection() as connection:
            found = {row["state"]: row["count"] for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    def changed_since(self, revision: int) -> tuple[int, list[int]]:
        """The present revision, and the numbers of jobs changed after an earlier one."""
        with self.project.connection() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = 'revision'").fetchone()
            latest = int(row["value"])
            if latest == revision:
                return latest, []
            rows = connection.execute(
                "SELECT number FROM jobs WHERE revision > ? ORDER BY number", (revision,)
            )
            return latest, [row["number"] for row in rows]


def _conditions(
    states: Sequence[State],
    text: str,
    task: str,
    numbers: Sequence[int],
    *,
    is_removed: bool,
) -> tuple[str, list[str]]:
    """What rows have to fulfil, and the values in it."""
    where = ["removed IS NOT NULL" if is_removed else "removed IS NULL"]
    values: list[str] = []
    if states:
        where.append(f"state IN ({', '.join('?' for _ in states)})")
        values += states
    if numbers:
        where.append(f"number IN ({', '.join(str(int(number)) for number in numbers)})")
    if task:
        where.append("task = ?")
        values.append(task)
    if "\0" in text:
        where.append("0")  # no text has it, and SQLite would end the pattern there
    elif text:
        escaped = "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
        columns = ("title", "job", "'J' || number", "folder")
        where.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in columns) + ")")
        values += [escaped] * len(columns)
    return " AND ".join(where), values


def _order(sort: Sort, *, is_ascending: bool) -> str:
    """Where two are equal the later job comes first; empty values come last."""
    if sort == "queue":
        return "run_now DESC, priority DESC, number"
    direction = "ASC" if is_ascending else "DESC"
    if sort == "number":
        return f"number {direction}"
    column = _SORT_COLUMNS[sort]
    return f"({column}) IS NULL, {column} {direction}, number DESC"
