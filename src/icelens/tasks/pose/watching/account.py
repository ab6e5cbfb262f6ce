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
import platform
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icelens.core.errors import InputFileError
from icelens.core.io.exclusive import rename_once

_MARKER = re.compile(r"(open|closed)-(\d{3,})-(\d{9,})\Z")
VERSIONS_OF_A_TERM = 10**6
"""Versions that a term may have."""
_KERNEL = Path("/proc/sys/kernel/random/boot_id")
OWNER_NAME, LOCK_NAME = "owner.json", ".lock"
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
        return is_empty(self.version)

    @property
    def marker(self) -> Path:
        """The file whose name makes this version valid."""
        return marker_path(self.folder, self.term, self.version, is_closed=self.is_closed)

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
    closed = marker_path(account.folder, account.term, account.version, is_closed=True)
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
        owner = json.loads((account.folder / OWNER_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return owner.get("kernel") == kernel() and not _is_locked(account.folder / LOCK_NAME)


def marker_path(folder: Path, term: int, version: int, *, is_closed: bool) -> Path:
    """The file whose name makes a version valid."""
    return folder / f"{'closed' if is_closed else 'open'}-{term:03d}-{version:09d}"


def is_empty(version: int) -> bool:
    """Whether nothing was ever added up to this version."""
    return version % VERSIONS_OF_A_TERM == 0


def contents_path(folder: Path, version: int) -> Path:
    """File of the names in a version."""
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
    if is_empty(version):
        return Contents()
    path = contents_path(folder, version)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{path}: cannot be read as JSON; move {folder} away, its files are then done again"
        ) from error
    return Contents(content["included"], content["failed"])


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r") as stream:
            # shared, so that two who look at a time do not take each other for the owner
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def kernel() -> str:
    """What locks of files are surely true for: one running system, its containers included."""
    try:
        return _KERNEL.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()
