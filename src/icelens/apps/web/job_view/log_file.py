"""Read a piece of a log by its bytes, so that one of 100 MB costs no more than its end.

Offsets count bytes of the file. A page asks for the end first, then for what was added behind it,
and for what lies before it as the reader scrolls up.
"""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from icelens.apps.web.job_view.log_lines import Line, read_lines
from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import check_plain

BLOCK = 2**16
"""Bytes read for one answer."""
MOST_LINES = 1000
_SEARCH_BLOCK = 2**20
MOST_SEARCHED = 2**28
MOST_HITS = 200


@dataclass(frozen=True)
class Piece:
    """Some lines of a log.

    Attributes:
        start: Offset of the first line.
        end: Offset behind the last whole line; ask there for more.
        size: Of the file.
        partial: The line that is being written, such as a progress bar; empty if there is none.
        is_reset: The file was replaced or cut: what was shown before is of another.
        file_id: Changes when the file is replaced.
    """

    lines: list[Line] = field(default_factory=list)
    start: int = 0
    end: int = 0
    size: int = 0
    partial: str = ""
    is_reset: bool = False
    file_id: str = ""


@dataclass(frozen=True)
class Hits:
    """Lines that contain a text, in the order of the log.

    Attributes:
        searched_from: Offset from which was searched; what lies before was not.
        is_more: There are more hits before the first.
    """

    lines: list[Line]
    searched_from: int
    is_more: bool


def read_end(path: Path, *, most: int = MOST_LINES) -> Piece:
    """The last lines of a log; empty if there is no such file.

    Raises:
        InputFileError: If it cannot be read.
    """
    return _read(path, lambda size: (max(0, size - BLOCK), size), most)


def read_before(path: Path, offset: int, *, most: int = MOST_LINES) -> Piece:
    """The lines that end at an offset."""
    return _read(path, lambda size: (max(0, min(offset, size) - BLOCK), min(offset, size)), most)


def read_after(path: Path, offset: int, *, file_id: str = "", most: int = MOST_LINES) -> Piece:
    """What was added behind an offset; where too much was, its end, as a new beginning.

    Args:
        path: Of the log.
        offset: The `end` of the last answer.
        file_id: The `file_id` of the last answer.
        most: Lines.
    """
    with _opened(path) as (file, size, found_id):
        if file is None:
            return Piece(is_reset=offset > 0)
        is_other = offset > size or file_id not in ("", found_id)
        if is_other or size - offset > BLOCK:
            end = read_end(path, most=most)
            return Piece(end.lines, end.start, end.end, end.size, end.partial, True, end.file_id)  # noqa: FBT003
        return _piece(_bytes(file, offset, size), offset, size, found_id, most, is_whole=True)


def read_around(path: Path, offset: int) -> Piece:
    """Lines with one in their middle, to show a hit where it stands."""
    half = BLOCK // 4
    return _read(path, lambda size: (max(0, offset - half), min(size, offset + half)), BLOCK)


def search(path: Path, text: str) -> Hits:
    """Lines that contain a text in any case, the latest of them, within a bounded part."""
    wanted = text.lower()
    found: list[Line] = []
    with _opened(path) as (file, size, _):
        first = max(0, size - MOST_SEARCHED)
        for start, block in _blocks_from_end(file, first, size) if file and wanted else ():
            # most blocks hold nothing, and this is much faster than taking lines apart
            if wanted not in block.decode(errors="replace").lower():
                continue
            lines, _ = read_lines(block, start)
            found = [line for line in lines if wanted in line.text.lower()] + found
            if len(found) > MOST_HITS:
                return Hits(found[-MOST_HITS:], start, is_more=True)
    return Hits(found, first, is_more=False)


class _Opened:
    """A log that may not exist, with its size and identity."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.BufferedReader | io.FileIO | None = None

    def __enter__(self) -> tuple[io.FileIO | None, int, str]:
        try:
            # unbuffered: nothing is read but what is asked for
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None, 0, ""
        except OSError as error:
            raise _unreadable(self._path, error) from error
        status = os.fstat(descriptor)
        try:
            check_plain(descriptor, self._path)
            file = io.FileIO(descriptor, "rb")
        except OSError as error:
            os.close(descriptor)
            raise _unreadable(self._path, error) from error
        self._file = file
        return file, status.st_size, f"{status.st_dev:x}-{status.st_ino:x}"

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _opened(path: Path) -> _Opened:
    return _Opened(path)


def _unreadable(path: Path, error: OSError) -> InputFileError:
    return InputFileError(f"{path.name}: cannot be read ({error.strerror}); look at its folder")


def _read(path: Path, place: Callable[[int], tuple[int, int]], most: int) -> Piece:
    with _opened(path) as (file, size, found_id):
        if file is None:
            return Piece()
        start, end = place(size)
        block = _bytes(file, start, end)
        piece = _piece(block, start, size, found_id, most, is_whole=start == 0)
        is_end = end == size
        # in the middle of the file the last line is not being written, only cut off here
        return piece if is_end else _without_partial(piece)


def _piece(
    block: bytes, start: int, size: int, file_id: str, most: int, *, is_whole: bool
) -> Piece:
    """Lines of a block; where it begins within a line, that is left for the block before."""
    if not is_whole:
        newline = block.find(b"\n")
        if 0 <= newline < len(block) - 1:
            block, start = block[newline + 1 :], start + newline + 1
    end = start + block.rfind(b"\n") + 1
    if end == start and len(block) >= BLOCK:
        end = start + len(block)  # one line longer than what is read at once: show this part of it
        lines, partial = read_lines(block + b"\n", start)
    else:
        lines, partial = read_lines(block, start)
    if len(lines) > most:
        lines = lines[-most:]
        start = lines[0].offset
    return Piece(lines, start, end, size, partial, file_id=file_id)


def _without_partial(piece: Piece) -> Piece:
    return Piece(piece.lines, piece.start, piece.end, piece.size, "", file_id=piece.file_id)


def _bytes(file: io.FileIO, start: int, end: int) -> bytes:
    """Bytes from start to end, fewer if the file was cut meanwhile."""
    file.seek(start)
    parts, missing = [], end - start
    while missing > 0:
        part = file.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _blocks_from_end(file: io.FileIO, first: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines from the end of a file to `first`, with their offsets."""
    end = size
    while end > first:
        start = max(first, end - _SEARCH_BLOCK)
        block = _bytes(file, start, end)
        newline = block.find(b"\n") + 1 if start > 0 else 0
        if newline == len(block):
            newline = 0  # one line longer than a block is searched in parts
        yield start + newline, block[newline:]
        end = start + newline if start + newline < end else start
