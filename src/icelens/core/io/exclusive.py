"""What only one of several processes does, on any machines that share a folder, without locks.

Locks of files end at the border of a machine on some file systems, and a process that sleeps with
one in its hands holds up all others. Renaming is atomic on all of them, on NFS too.
"""

import errno
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from icelens.core.errors import InputFileError


def make_once(folder: Path, files: Mapping[str, str]) -> bool:
    """Make a folder with these texts, unless it exists; of several processes one succeeds.

    The folder is complete when it appears: it is filled beside and renamed, which fails if one
    stands there that is not empty.

    Args:
        folder: To be made.
        files: Name and text of each file, at least one.

    Returns:
        Whether it was made here.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
    """
    beside = folder.parent / f".{uuid.uuid4().hex}"
    try:
        beside.mkdir(parents=True)
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8")
        return _placed(beside, folder, list(files))
    except OSError as error:
        raise InputFileError(
            f"{folder}: cannot be made ({error.strerror}); free some space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def rename_once(source: Path, target: Path) -> bool:
    """Rename a file that several processes rename to names of their own; one succeeds.

    Returns:
        Whether it was this one. A file server that did it but whose answer was lost, so that the
        system asked again, counts as success.
    """
    try:
        source.rename(target)
    except FileNotFoundError:
        return target.exists()
    return True


def _placed(beside: Path, folder: Path, names: list[str]) -> bool:
    try:
        beside.rename(folder)
    except FileNotFoundError:
        # asked again after a lost answer, as in `rename_once`; or the folder above was removed
        if all((folder / name).exists() for name in names):
            return True
        raise
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True
