"""A project: a folder with `icelens.db`, in which nothing is absolute, so that it can be moved."""

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io.atomic import make_folder
from icelens.jobs.project.migrations import migrate

DATABASE_NAME = "icelens.db"
HIDDEN_NAME = ".icelens"
"""Folder of what the queue needs for itself."""
JOBS_NAME = "jobs"
BUSY_SECONDS = 30.0
_NETWORK = {"nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "smb3", "fuse.sshfs", "ceph", "9p"}


class NoProjectError(IcelensError):
    """A folder that is no project."""


@dataclass(frozen=True)
class Project:
    """A folder of jobs.

    Attributes:
        folder: Absolute, links resolved.
        identity: Of the project, kept when it moves.
    """

    folder: Path
    identity: str

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name or str(self.folder)

    @property
    def hidden(self) -> Path:
        """Folder of what the queue needs for itself."""
        return self.folder / HIDDEN_NAME

    def absolute(self, path: str | Path) -> Path:
        """Where a path of the project is now."""
        return self.folder / path

    def relative(self, path: Path) -> str:
        """How a path is kept: relative if it lies in the project, so that the project can move."""
        absolute = Path(os.path.normpath(self.folder / path))
        if absolute.is_relative_to(self.folder):
            return absolute.relative_to(self.folder).as_posix()
        resolved = absolute.resolve()
        if resolved.is_relative_to(self.folder):
            return resolved.relative_to(self.folder).as_posix()
        return str(absolute)

    def control(self, number: int) -> Path:
        """Folder by which queue and running job speak to each other."""
        return self.hidden / "control" / f"{number:04d}"

    @contextmanager
    def connection(self, *, is_write: bool = False) -> Iterator[sqlite3.Connection]:
        """The thread's connection; what a block with `is_write` changes, it changes as a whole.

        Raises:
            InputFileError: If the database is damaged, or cannot be written.
        """
        try:
            connection = _connection(self.folder / DATABASE_NAME)
            if not is_write or connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise InputFileError(
                f"{self.folder / DATABASE_NAME}: cannot be used ({error}); see that the disk has "
                "room and that you may write there"
            ) from error


def open_project(folder: Path) -> Project:
    """Open a project; an older one gets today's tables.

    Raises:
        NoProjectError: If the folder has no `icelens.db`.
        InputFileError: If that is no database.
        ProjectVersionError: If a newer icelens made it.
    """
    folder = folder.resolve()
    path = folder / DATABASE_NAME
    if not path.is_file():
        raise NoProjectError(
            f"{folder}: is no project (no {DATABASE_NAME} in it); make one with: "
            f"icelens jobs init {folder}"
        )
    return _opened(path)


def create_project(folder: Path) -> Project:
    """Make a folder a project; one that is a project already is opened.

    Raises:
        InputFileError: If it cannot be written.
    """
    folder = folder.resolve()
    make_folder(folder)
    return _opened(folder / DATABASE_NAME)


def find_project(start: Path) -> Project | None:
    """The project that a path lies in, if any; a database that cannot be used counts as none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / DATABASE_NAME).is_file():
            try:
                return open_project(folder)
            except IcelensError:
                return None
    return None


def _opened(path: Path) -> Project:
    try:
        connection = _connection(path)
        migrate(connection, str(path))
        connection.execute(
            "INSERT OR IGNORE INTO facts VALUES ('identity', ?)", (uuid.uuid4().hex[:12],)
        )
        row = connection.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()
    except sqlite3.Error as error:
        raise InputFileError(
            f"{path}: cannot be used as a project's database ({error}); move it away if it is "
            "something else"
        ) from error
    return Project(path.parent, str(row["value"]))


_open = threading.local()


def _connection(path: Path) -> sqlite3.Connection:
    """One connection for each thread and file; a file that was replaced is opened anew."""
    pool: dict[tuple[str, int], tuple[int, sqlite3.Connection]] = _open.__dict__.setdefault(
        "pool", {}
    )
    key = (str(path), os.getpid())
    inode = path.stat().st_ino if path.exists() else 0
    if key in pool and pool[key][0] == inode:
        return pool[key][1]
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    # WAL needs memory that its readers share, which file servers do not give
    mode = "DELETE" if file_system(path.parent) in _NETWORK else "WAL"
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute(
        "PRAGMA synchronous = NORMAL" if mode == "WAL" else "PRAGMA synchronous = FULL"
    )
    pool[key] = (path.stat().st_ino, connection)
    return connection


def file_system(folder: Path) -> str:
    """The kind of file system a folder lies on, such as `ext4`; empty where nothing tells."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        _, mount, found, *_ = line.split()
        mount = mount.replace("\\040", " ")
        if folder.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, found
    return kind
