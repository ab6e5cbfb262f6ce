"""Keep files that are dropped on a page: whole or not at all, never over another."""

import asyncio
import os
import re
import shutil
import unicodedata
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path, PurePath

from icelens.apps.web.files.kinds import UPLOADED, ending_of, kind_of_name
from icelens.core.errors import IcelensError
from icelens.core.io.atomic import make_folder

UPLOADS_NAME = "uploads"
MOST_BYTES = 8 * 2**30
KEPT_FREE = 2**30
"""Bytes that stay free on the disk: the project's database lives there too."""
_BLOCK = 4 * 2**20
_LONGEST = 120


class UploadError(IcelensError):
    """A file that cannot be taken."""


def cleaned_name(name: str) -> str:
    """A name that is safe on any disk and in any command.

    Raises:
        UploadError: If nothing is left of it, or its kind is not taken.
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = re.sub(r"[^\w.+=@ -]", "_", text).strip(" .-")
    ending = ending_of(text)
    if kind_of_name(text) not in UPLOADED or ending == ".zarr" or len(text) <= len(ending):
        raise UploadError(
            f"{name!r:.80}: this kind of file is not taken; volumes, stacks, STAR, tables, tilt "
            "files, models, checkpoints and settings are"
        )
    stem = text[: len(text) - len(ending)]
    while len((stem + ending).encode()) > _LONGEST:
        stem = stem[:-1]
    return stem + ending


async def keep_upload(
    folder: Path, name: str, content: AsyncIterator[bytes], expected: int
) -> Path:
    """Write a file in `folder`, under its name or, if that is taken, `name-2`.

    Args:
        folder: Made if need be.
        name: What the browser calls it.
        content: Its bytes.
        expected: Number of bytes that were announced; 0 if unknown.

    Raises:
        UploadError: If it is too large, the disk too full, or the name no good.
    """
    clean = cleaned_name(name)
    make_folder(folder)
    _check_room(folder, clean, expected, expected)
    temporary = folder / f".{clean}.{os.urandom(6).hex()}.part"
    try:
        written = await _write(temporary, clean, content)
        if expected and written != expected:
            raise UploadError(f"{clean}: only {written} of {expected} bytes came; send it again")
        return await asyncio.to_thread(_settle, temporary, folder, clean)
    except OSError as error:
        raise UploadError(
            f"{clean}: cannot be kept ({error.strerror}); free some space in the project's folder"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


async def _write(path: Path, name: str, content: AsyncIterator[bytes]) -> int:
    written = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "wb") as file:
        waiting = bytearray()
        async for part in content:
            waiting += part
            if len(waiting) >= _BLOCK:
                written += len(waiting)
                _check_room(path.parent, name, len(waiting), written)
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        written += len(waiting)
        await asyncio.to_thread(file.write, bytes(waiting))
    return written


def _check_room(folder: Path, name: str, more: int, whole: int) -> None:
    """Refuse `more` bytes of a file that is too large, or has no room on the disk."""
    if whole > MOST_BYTES:
        raise UploadError(f"{name}: more than {MOST_BYTES // 2**30} GiB; copy it by other means")
    if more > shutil.disk_usage(folder).free - KEPT_FREE:
        raise UploadError(f"{name}: the disk of the project is too full for it; free some space")


def _settle(temporary: Path, folder: Path, name: str) -> Path:
    """Give a file its name, or the next free one; another that comes at once is not replaced."""
    ending = ending_of(name)
    stem = name[: len(name) - len(ending)]
    for count in range(1, 10_000):
        target = folder / (name if count == 1 else f"{stem}-{count}{ending}")
        try:
            os.link(temporary, target)
        except FileExistsError:
            continue
        except OSError:  # some file systems have no hard links
            if target.exists():
                continue
            temporary.rename(target)
        return target
    raise UploadError(f"{PurePath(name)}: too many files of this name; rename it")
