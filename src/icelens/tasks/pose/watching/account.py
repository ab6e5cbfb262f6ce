"""What each process of a watch has added up, so that every file counts once whatever happens.

A process keeps an account: a folder with numbered versions of its sums and of the names of the
files in them, and one empty file, the marker, whose name says which version is valid, such as
`open-001-001000012`. It writes the next version beside and then renames the marker to
`open-001-001000013`: names and sums of any number of files become valid then, or not at all.

Who believes another process dead renames its marker to `closed-...` before touching what it left
undone. Both rename the same file, so exactly one succeeds: either the new version counts, or the
process learns that it was given up and that nothing it did since will ever count. A process may
sleep at any point for any time without harm, which no lock and no comparison of times gives.

A later process may go on with a closed account: it renames the marker to the next term,
`open-002-...`, which the process before it does not know. Versions of terms have numbers of their
own (002000001 ...), so that two can never write the same files.

Markers are touched as heartbeats. Ages are differences of two times that the file server wrote, so
that clocks of machines need not agree.
"""

import fcntl
import json
import os
import platform
import re
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from icelens.core.errors import InputFileError
from icelens.core.io.exclusive import rename_once
from icelens.jobs.record import write_json

_MARKER = re.compile(r"(open|closed)-(\d{3,})-(\d{9,})\Z")
_OF_A_TERM = 10**6
"""Versions that a term may have."""
_KERNEL = Path("/proc/sys/kernel/random/boot_id")
_OWNER_NAME, _LOCK_NAME = "owner.json", ".lock"
# A marker that is renamed while its folder is listed may be missed.
_TRIES, _PAUSE = 3, 0.05


@dataclass(frozen=True)
class Contents:
    """What a version of an account says; both by the short name of a file.

    Attributes:
        included: Files whose images are in the sums.
        failed: Files that could not be used, with the reason.
    """

    included: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """A valid version of an account.

    Attributes:
        folder: Of the account; its name is that of the process that opened it.
        term: Counts the processes that had it, from 1.
        version: Number of the version.
        is_closed: Whether it is final, until another process goes on with it.
        contents: What is in it.
    """

    folder: Path
    term: int
    version: int
    is_closed: bool
    contents: Contents

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever added."""
        return _is_empty(self.version)

    @property
    def marker(self) -> Path:
        """The file whose name makes this version valid."""
        return _marker(self.folder, self.term, self.version, is_closed=self.is_closed)

    def sums(self, half: int) -> Path:
        """File of the sums of a half set."""
        return sums_path(self.folder, self.version, half)


def sums_path(folder: Path, version: int, half: int) -> Path:
    """File of the sums of a half set in a version."""
    return folder / f"{version:09d}_half_{half}.safetensors"


def read_accounts(folder: Path) -> dict[str, Account]:
    """The valid versions of all accounts, by worker."""
    if not folder.is_dir():
        return {}
    names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    found = {name: read_account(folder / name) for name in names}
    return {name: account for name, account in found.items() if account is not None}


def read_account(folder: Path) -> Account | None:
    """The valid version of an account, or None if there is none yet."""
    for _ in range(_TRIES):
        found = _valid_version(folder)
        if found is not None:
            term, version, is_closed = found
            contents = _read_contents(folder, version)
            if contents is not None:
                return Account(folder, term, version, is_closed, contents)
        time.sleep(_PAUSE)
    return None


def close_account(account: Account) -> bool:
    """Make the version that was read final; its worker will be told when it next adds something.

    Returns:
        False if the worker did so in the meantime, and therefore lives.
    """
    if account.is_closed:
        return True
    closed = _marker(account.folder, account.term, account.version, is_closed=True)
    return rename_once(account.marker, closed)


def is_dead(account: Account, now: float, lost_after: float) -> bool:
    """Whether the worker of an open account ended, or was silent for `lost_after` seconds.

    A process of this machine that ended holds its lock no longer, which is known at once.

    Args:
        account: As read.
        now: Time of the file server, from `OwnAccount.now`.
        lost_after: In seconds.
    """
    try:
        age = now - account.marker.stat().st_mtime
    except FileNotFoundError:
        return False  # it was renamed: alive, or closed by another
    if age > lost_after:
        return True
    try:
        owner = json.loads((account.folder / _OWNER_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return owner.get("kernel") == _kernel() and not _is_locked(account.folder / _LOCK_NAME)


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
        return _marker(self.folder, self._term, self._version, is_closed=False)

    @property
    def _following(self) -> int:
        return max(self._version, self._term * _OF_A_TERM) + 1

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
            _contents_path(self.folder, following),
            {"included": dict(contents.included), "failed": dict(contents.failed)},
        )
        for path in self.folder.glob(f"{following:09d}*"):
            _flush(path)
        with self._changing:
            target = _marker(self.folder, self._term, following, is_closed=False)
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
            closed = _marker(self.folder, self._term, self._version, is_closed=True)
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
    account = Account(own, 1, _OF_A_TERM, is_closed=False, contents=Contents())
    account.marker.touch(exist_ok=False)
    return account, lock


def _locked(folder: Path) -> IO[str] | None:
    lock = (folder / _LOCK_NAME).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _write_owner(folder: Path) -> None:
    known = {"host": platform.node(), "process": os.getpid(), "kernel": _kernel()}
    write_json(folder / _OWNER_NAME, known)


def _marker(folder: Path, term: int, version: int, *, is_closed: bool) -> Path:
    return folder / f"{'closed' if is_closed else 'open'}-{term:03d}-{version:09d}"


def _is_empty(version: int) -> bool:
    return version % _OF_A_TERM == 0


def _contents_path(folder: Path, version: int) -> Path:
    return folder / f"{version:09d}.json"


def _valid_version(folder: Path) -> tuple[int, int, bool] | None:
    """Term, version and whether it is closed; a renaming may be seen before and after at a time."""
    try:
        found = [_MARKER.match(each.name) for each in folder.iterdir()]
    except FileNotFoundError:
        return None
    markers = [(int(each[2]), int(each[3]), each[1] == "closed") for each in found if each]
    return max(markers, default=None)


def _read_contents(folder: Path, version: int) -> Contents | None:
    """None if the version was replaced meanwhile."""
    if _is_empty(version):
        return Contents()
    path = _contents_path(folder, version)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{path}: cannot be read as JSON; move {folder} away, its files are then done again"
        ) from error
    return Contents(content["included"], content["failed"])


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


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r") as stream:
            # shared, so that two who look at a time do not take each other for the owner
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _kernel() -> str:
    """What locks of files are surely true for: one running system, its containers included."""
    try:
        return _KERNEL.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()


def _flush(path: Path) -> None:
    """To the disk, so that a machine that loses power does not keep the marker alone."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
