"""Open plain files only: a pipe that somebody put there keeps nobody waiting."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """Open a file to be read; a named pipe, device or socket is refused, and never waited for.

    Raises:
        OSError: If it cannot be read, or is no regular file.
    """
    # without O_NONBLOCK the opening of a pipe waits for a writer, perhaps for ever
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        check_plain(handle, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_plain(path: Path, most: int) -> bytes:
    """The content of a small file.

    Args:
        path: The file.
        most: Bytes that it may hold.

    Raises:
        OSError: If it cannot be read, is no regular file, or larger.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EINVAL, f"is larger than {most} bytes", str(path))
    return content


def check_plain(handle: int, path: Path) -> None:
    """Raises `OSError` if what was opened is no regular file."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "is no regular file", str(path))
