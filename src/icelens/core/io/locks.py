"""A lock that processes hold on a file while they change it; it ends with the process."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icelens.core.errors import InputFileError, RunLockedError
from icelens.core.events import Message, OnEvent, ignore

_POLL_SECONDS = 0.05


@contextmanager
def exclusive_lock(
    path: Path, *, wait_seconds: float = 20.0, on_event: OnEvent = ignore
) -> Iterator[None]:
    """Hold `path` alone, by a hidden lock file beside it that is left in place.

    The lock is the kernel's (`flock`): it cannot be left behind by a process that died. Symbolic
    links are followed first, so that two names of one file share one lock.

    Raises:
        RunLockedError: If another process holds it for longer than `wait_seconds`.
        InputFileError: If the folder cannot be written.
    """
    target = path.resolve()
    beside = target.with_name(f".{target.name}.lock")
    try:
        stream = beside.open("a")
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be locked for writing ({error.strerror}); make its folder writable or "
            "work on a copy"
        ) from error
    with stream:
        _acquire(path, stream.fileno(), wait_seconds, on_event)
        try:
            yield
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


def _acquire(path: Path, file: int, wait_seconds: float, on_event: OnEvent) -> None:
    deadline = time.monotonic() + wait_seconds
    has_told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RunLockedError(
                    f"{path}: another process has held it for {wait_seconds:g} s; "
                    "wait for that job to end and try again"
                ) from None
            if not has_told:
                on_event(Message(f"{path} is in use by another process, waiting", "warning"))
                has_told = True
            time.sleep(_POLL_SECONDS)
        else:
            return
