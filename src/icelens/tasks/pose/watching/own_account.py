"""The account that this process adds to: opened, kept alive, and closed (see `account`)."""

import fcntl
import os
import platform
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from icelens.core.errors import InputFileError
from icelens.core.io.exclusive import rename_once
from icelens.jobs.record import write_json
from icelens.tasks.pose.watching.account import (
    LOCK_NAME,
    OWNER_NAME,
    VERSIONS_OF_A_TERM,
    Account,
    Contents,
    contents_path,
    kernel,
    marker_path,
    read_accounts,
    sums_path,
)


class OwnAccount:
    """The account that this process adds to; inside a `with` block a thread touches its marker."""

    def __init__(self, account: Account, lock: IO[str], *, beat_seconds: float) -> None:
        """Begin a term; use `open_account`.

        Args:
            account: As it was found or made, its marker in this process' name.
            lock: The account's lock file, held.
            beat_seconds: Between two signs of life.
        """
        self.folder = account.folder
        self.contents = account.contents
        self.begun_with = account
        self._term = account.term
        self._version = account.version
        self._lock = lock
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, args=(beat_seconds,), daemon=True)

    @property
    def name(self) -> str:
        """Under which others know this process."""
        return self.folder.name

    @property
    def _marker(self) -> Path:
        return marker_path(self.folder, self._term, self._version, is_closed=False)

    @property
    def _following(self) -> int:
        return max(self._version, self._term * VERSIONS_OF_A_TERM) + 1

    def now(self) -> float:
        """Time of the file server in seconds, which may differ from this machine's."""
        with self._changing, suppress(FileNotFoundError):
            os.utime(self._marker)
            return self._marker.stat().st_mtime
        return 0.0  # given up: everybody else looks alive

    def next_sums(self, half: int) -> Path:
        """Where to write the sums of a half set before `commit`."""
        return sums_path(self.folder, self._following, half)

    def commit(self, contents: Contents) -> bool:
        """Make what was written beside valid, together with these names.

        Returns:
            False if this process was given up: nothing that it did since its last commit counts,
            others do it again.
        """
        before, following = self._version, self._following
        write_json(
            contents_path(self.folder, following),
            {"included": dict(contents.included), "failed": dict(contents.failed)},
        )
        for path in self.folder.glob(f"{following:09d}*"):
            _flush(path)
        with self._changing:
            target = marker_path(self.folder, self._term, following, is_closed=False)
            if not rename_once(self._marker, target):
                return False
            self._version, self.contents = following, contents
        # the version before stays: somebody may be reading it
        for old in self.folder.glob("[0-9]" * 9 + "*"):
            if int(old.name[:9]) < before:
                old.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Say that nothing will be added any more; what is not committed is free for others."""
        with self._changing:
            closed = marker_path(self.folder, self._term, self._version, is_closed=True)
            rename_once(self._marker, closed)

    def __enter__(self) -> Self:
        """Start the heartbeat."""
        self._pulse.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the account."""
        with ExitStack() as stack:
            stack.callback(self._lock.close)
            stack.callback(self._pulse.join)
            stack.callback(self._ended.set)
            self.close()

    def _beat(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            with suppress(OSError), self._changing:
                os.utime(self._marker)


def open_account(folder: Path, worker: str, *, beat_seconds: float) -> OwnAccount:
    """Go on with a closed account below `folder`, or open a new one named after the worker.

    Raises:
        InputFileError: If the folder cannot be written.
    """
    try:
        for account in read_accounts(folder).values():
            if account.is_closed and (own := _reopened(account)) is not None:
                return OwnAccount(*own, beat_seconds=beat_seconds)
        return OwnAccount(*_new_account(folder, worker), beat_seconds=beat_seconds)
    except OSError as error:
        raise InputFileError(
            f"{folder}: cannot be written ({error.strerror}); choose another --output"
        ) from error


def _reopened(account: Account) -> tuple[Account, IO[str]] | None:
    """The account with a new term, and its lock; None if another process has it."""
    lock = _locked(account.folder)
    if lock is None:
        return None
    _write_owner(account.folder)
    own = replace(account, term=account.term + 1, is_closed=False)
    try:
        # not `rename_once`: of two that begin the same term one must lose
        account.marker.rename(own.marker)
    except FileNotFoundError:
        lock.close()
        return None
    return own, lock


def _new_account(folder: Path, worker: str) -> tuple[Account, IO[str]]:
    own = _new_folder(folder, worker)
    lock = _locked(own)
    assert lock is not None, "nobody else knows of this folder"
    _write_owner(own)
    account = Account(own, 1, VERSIONS_OF_A_TERM, is_closed=False, contents=Contents())
    account.marker.touch(exist_ok=False)
    return account, lock


def _locked(folder: Path) -> IO[str] | None:
    lock = (folder / LOCK_NAME).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _write_owner(folder: Path) -> None:
    known = {"host": platform.node(), "process": os.getpid(), "kernel": kernel()}
    write_json(folder / OWNER_NAME, known)


def _new_folder(folder: Path, worker: str) -> Path:
    """The first of `worker`, `worker-2`, ... that nobody has."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        own = folder / (worker if number == 1 else f"{worker}-{number}")
        try:
            own.mkdir()
        except FileExistsError:
            number += 1
        else:
            return own


def _flush(path: Path) -> None:
    """To the disk, so that a machine that loses power does not keep the marker alone."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
