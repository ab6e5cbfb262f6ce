"""The trash of a project: removed jobs and their folders, until it is emptied."""

import shutil
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.project import changes
from icelens.jobs.project.entry import PENDING, STATES, Entry
from icelens.jobs.project.listing import Listing
from icelens.jobs.project.project import JOBS_NAME
from icelens.jobs.record import now

TRASH_NAME = "trash"


class StateError(IcelensError):
    """Something that cannot be done with a job in the state it is in."""


class Trash(Listing):
    """The jobs of one project, to be put away."""

    def remove(self, number: int) -> Entry:
        """Move a job and its folder to the trash.

        Raises:
            StateError: If it runs, or another job waits for it.
        """
        entry = self.get(number)
        if entry.removed:
            return entry
        with self.project.connection(is_write=True) as connection:
            allowed = [state for state in STATES if state != "running"]
            waiting = connection.execute(
                "SELECT waits.number AS number FROM waits JOIN jobs ON jobs.number = waits.number "
                "WHERE waits.after = ? AND jobs.state IN ('queued', 'waiting') "
                "AND jobs.removed IS NULL",
                (number,),
            ).fetchone()
            if waiting and entry.state != "done":
                raise StateError(
                    f"{entry.name}: J{waiting['number']} waits for it; stop or remove that first"
                )
            state = "stopped" if entry.state in PENDING else entry.state
            change = {"removed": now(), "state": state}
            if not changes.update(connection, number, change, only_from=allowed):
                raise StateError(f"{entry.name}: is running; stop it first")
            self._move(self._own_folder(entry), self._trash(number))
        return self.get(number)

    def restore(self, number: int) -> Entry:
        """Take a job out of the trash."""
        entry = self.get(number)
        if entry.removed:
            with self.project.connection(is_write=True) as connection:
                changes.update(connection, number, {"removed": None})
                self._move(self._trash(number), self._own_folder(entry))
        return self.get(number)

    def empty_trash(self) -> int:
        """Delete what is in the trash for good; return how many jobs that were."""
        with self.project.connection(is_write=True) as connection:
            rows = connection.execute("SELECT number FROM jobs WHERE removed IS NOT NULL")
            numbers = [row["number"] for row in rows]
            for number in numbers:
                connection.execute("DELETE FROM waits WHERE number = ? OR after = ?", (number,) * 2)
                connection.execute("DELETE FROM jobs WHERE number = ?", (number,))
        for number in numbers:
            shutil.rmtree(self._trash(number), ignore_errors=True)
            shutil.rmtree(self.project.control(number), ignore_errors=True)
        return len(numbers)

    def _own_folder(self, entry: Entry) -> Path | None:
        """The job's folder if it is nobody else's: below `jobs`, or of a run in the project."""
        folder = self.project.absolute(entry.folder)
        inside = entry.folder.startswith(f"{JOBS_NAME}/{entry.number:04d}-")
        return folder if inside else None

    def _trash(self, number: int) -> Path:
        return self.project.hidden / TRASH_NAME / f"{number:04d}"

    @staticmethod
    def _move(source: Path | None, target: Path | None) -> None:
        if source is not None and target is not None and source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
