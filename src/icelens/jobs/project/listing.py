"""What jobs a project has."""

import re
from collections.abc import Sequence

from icelens.core.errors import IcelensError
from icelens.jobs.project import changes
from icelens.jobs.project.entry import COLUMNS, STATES, Entry, State, entry_of
from icelens.jobs.project.project import Project


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
        limit: int = 100,
        offset: int = 0,
        is_removed: bool = False,
    ) -> list[Entry]:
        """Jobs, the latest first.

        Args:
            states: Only these; all if empty.
            text: Only jobs whose title, name or number contain it.
            task: Only of this capability.
            limit: At most so many.
            offset: After so many.
            is_removed: Those in the trash instead of the others.
        """
        where, values = _conditions(states, text, task, is_removed=is_removed)
        query = (
            f"SELECT {COLUMNS} FROM jobs WHERE {where} "
            f"ORDER BY number DESC LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        with self.project.connection() as connection:
            return [entry_of(row) for row in connection.execute(query, values)]

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
    states: Sequence[State], text: str, task: str, *, is_removed: bool
) -> tuple[str, list[str]]:
    """What rows have to fulfil, and the values in it."""
    where = ["removed IS NOT NULL" if is_removed else "removed IS NULL"]
    values: list[str] = []
    if states:
        where.append(f"state IN ({', '.join('?' for _ in states)})")
        values += states
    if task:
        where.append("task = ?")
        values.append(task)
    if text:
        escaped = "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
        columns = ("title", "job", "'J' || number", "folder")
        where.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in columns) + ")")
        values += [escaped] * len(columns)
    return " AND ".join(where), values
