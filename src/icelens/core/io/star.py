"""Read and write STAR tables through starfile, strictly: no row, string or digit may change.

starfile alone loses rows' missing values, apostrophes and digits beyond the sixth; this layer
counts rows and values itself, decides types by column, and writes numbers that read back equal.
"""

import linecache
import math
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.atomic import atomic_path

if TYPE_CHECKING:
    import pandas

# A private-use letter stands for the apostrophe while starfile parses, which takes it for a quote.
_APOSTROPHE = "\ue000"
_VALUE = re.compile(r""" "[^"]*"(?=\s|$) | '[^']*'(?=\s|$) | \#.*$ | \S+ """, re.VERBOSE)
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})\Z")
_NUMBER = re.compile(r"([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[nN]a[nN])\Z")
_NAN_WORDS = ("nan", "NaN", "<NA>")


@dataclass
class _Block:
    """What our own count of a block says: is it a loop, its columns and number of rows."""

    name: str
    line: int
    is_loop: bool = False
    columns: list[str] = field(default_factory=list)
    num_rows: int = 0


def read_star(path: Path) -> "dict[str, pandas.DataFrame]":
    """Read all blocks of a STAR file, in their order.

    A column becomes integers or floats only if each of its values is a number; `007` and `None`
    stay text, `nan` in a column of numbers is NaN. A block without `loop_` is a table of one row,
    and `write_star` writes it without a loop again.

    Raises:
        InputFileError: If the file is missing, empty, not a STAR, or a row has too few or too many
            values.
    """
    text = _read_text(path)
    blocks = _scan(path, text)
    parsed = _parse(path, text, blocks)
    return {block.name: _frame(path, block, parsed[block.name]) for block in blocks}


def write_star(path: Path, blocks: "Mapping[str, pandas.DataFrame]") -> None:
    """Write tables as STAR blocks, atomically; floats have six decimals, or more if they need them.

    Raises:
        InputFileError: If the file cannot be written.
        MetadataError: If a value holds a tab, a line break or a double quote.
    """
    import starfile

    tables = {name: _writable(path, name, frame) for name, frame in blocks.items()}
    # A bare # would start a comment.
    needs_quotes = any("#" in str(value) for frame in blocks.values() for value in _texts(frame))
    content = starfile.to_string(
        tables, float_format=_format_float, quote_all_strings=needs_quotes, na_rep="<NA>"
    )
    # The first line names the writing program and the hour; the same table gives the same file.
    body = content.split("\n", 1)[1]
    with atomic_path(path) as temporary:
        temporary.write_text("# written by icelens\n" + body, encoding="utf-8")


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: no such STAR file; check the path") from error
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: not text in UTF-8 (byte {error.start}), expected a STAR file; "
            "check the path or save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror})") from error
    if not text.strip():
        raise InputFileError(f"{path}: the file is empty, expected a STAR table; write it again")
    return text


def _scan(path: Path, text: str) -> list[_Block]:
    """Count blocks, columns and rows, and check that each row has one value per column."""
    blocks: list[_Block] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line.startswith("data_"):
            blocks.append(_Block(line[5:], number))
        elif blocks and line and not line.startswith("#"):
            _scan_line(path, blocks[-1], number, line)
    if not blocks:
        raise InputFileError(f"{path}: no data_ block, expected a STAR file; check the path")
    names = [block.name for block in blocks]
    for name in names:
        if names.count(name) > 1:
            raise InputFileError(f"{path}: two blocks are called data_{name}; rename one of them")
    return [block for block in blocks if block.columns]


def _scan_line(path: Path, block: _Block, number: int, line: str) -> None:
    if line.startswith("loop_"):
        block.is_loop = True
        return
    values = [value for value in _VALUE.findall(line) if not value.startswith("#")]
    if line.startswith("_") and not block.num_rows:
        block.columns.append(values[0][1:])
        expected = 1 if block.is_loop else 2
        values = values[:expected]
    else:
        expected = len(block.columns)
        block.num_rows += 1
    if len(values) != expected or not expected:
        raise InputFileError(
            f"{path}: line {number} has {len(values)} values, expected {expected} "
            f"(block data_{block.name}); put values with blanks into double quotes"
        )


def _parse(path: Path, text: str, blocks: list[_Block]) -> dict[str, object]:
    """Let starfile parse, all values as text."""
    import starfile

    columns = [column for block in blocks for column in block.columns]
    masked = _mask_apostrophes(text)
    linecache.clearcache()  # starfile reads through it, and it may remember an older file
    try:
        if masked == text:
            return dict(starfile.read(path, always_dict=True, parse_as_string=columns))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "masked.star"
            copy.write_text(masked, encoding="utf-8")
            return dict(starfile.read(copy, always_dict=True, parse_as_string=columns))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputFileError(
            f"{path}: not a readable STAR file ({reason}); correct or write it again"
        ) from error
    finally:
        linecache.clearcache()
