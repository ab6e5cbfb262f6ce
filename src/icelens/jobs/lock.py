"""One process at a time in a run's folder: an advisory lock that dies with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icelens.core.errors import InputFileError, RunLockedError

LOCK_NAME = ".lock"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for one run; the folder is made if need be.

    The lock belongs to the open file, so a killed process leaves nothing to clean up.

    Raises:
        RunLockedError: If another process holds the folder.
        InputFileError: If the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputFileError(
            f"{folder}: cannot be used as the run's folder ({error.strerror}); "
            "choose another with --output"
        ) from error
    try:
        _lock(handle, folder)
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def holder(folder: Path) -> int | None:
    """The process that holds a folder, if one does and says its number."""
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 32).decode(errors="replace").strip()
        return int(owner) if owner.isdigit() else None
    finally:
        os.close(handle)
    return None


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(handle, 32).decode(errors="replace").strip()
        process = f"process {owner}" if owner else "another process"
        raise RunLockedError(
            f"{folder}: {process} is running a job in this folder; "
            "wait for it to end, or choose another with --output"
        ) from error
