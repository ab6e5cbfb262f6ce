"""Write beside, then rename: no reader meets a half-written file, a full disk harms nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icelens.core.errors import InputFileError


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there.

    Raises:
        InputFileError: If it cannot be made, such as where a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(_refused(folder, error)) from error


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it onto `target` if the block succeeds.

    A symbolic link is followed, so that the file it points to is replaced and the link stays.
    The temporary keeps the target's suffixes, because many writers choose a format by name.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written; nothing is left behind.
    """
    final = target.resolve()
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=final.parent, prefix=f".{final.stem}.", suffix=final.name
        )
        os.close(handle)
    except OSError as error:
        raise InputFileError(_refused(target, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        _copy_mode(final, temporary)
        temporary.replace(final)
    except OSError as error:
        raise InputFileError(
            f"{target}: could not be written ({error.strerror}); free some space or choose another "
            "folder, nothing was changed"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder; it takes the place of `target` if the block succeeds.

    Scratch files may be put beside the given folder: they vanish with its parent.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written; nothing is left behind.
    """
    final = target.resolve()
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        parent = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.stem}."))
    except OSError as error:
        raise InputFileError(_refused(target, error)) from error
    # A folder cannot be renamed onto another that is not empty: the old one steps aside first.
    made, old = parent / final.name, parent / f"old-{final.name}"
    try:
        made.mkdir()
        yield made
        if final.exists():
            final.rename(old)
        made.rename(final)
    except OSError as error:
        if old.exists() and not final.exists():
            old.rename(final)
        raise InputFileError(
            f"{target}: could not be written ({error.strerror}); free some space or choose another "
            "folder, nothing was changed"
        ) from error
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _refused(target: Path, error: OSError) -> str:
    remedy = "make the folder writable or choose another"
    return f"{target}: cannot write here ({error.strerror}); {remedy}"


def _copy_mode(existing: Path, temporary: Path) -> None:
    """Give the new file the permissions of the old one, or those a plain `open` would give."""
    if existing.exists():
        mode = existing.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    temporary.chmod(mode)
