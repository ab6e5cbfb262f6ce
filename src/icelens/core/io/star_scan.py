"""Count what a STAR file holds, and mask the letters that its parser would trip over."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from icelens.core.errors import InputFileError

# Private-use letters stand for ' and # inside values while starfile parses.
_MASK = str.maketrans({"'": "\ue000", "#": "\ue001"})
UNMASK = str.maketrans({"\ue000": "'", "\ue001": "#"})
# Only ASCII blanks separate values: file names may hold others.
_VALUE = re.compile(r""""[^"]*"(?=\s|$)|'[^']*'(?=\s|$)|\S+""", re.ASCII)


# Quotes, comments, and control characters, at which split() and the pattern above may differ.
_TRAP = re.compile(r"""["'#\x00-\x08\x0b-\x1f]""")


@dataclass
class StarBlock:
    """A block as counted: whether it is a loop, its columns, and its number of rows."""

    name: str
    is_loop: bool = False
    columns: list[str] = field(default_factory=list)
    num_rows: int = 0


def scan_star(path: Path, text: str) -> tuple[list[StarBlock], str]:
    """Count blocks, columns and rows; give the text back without comments and traps.

    Raises:
        InputFileError: If there is no block, a name comes twice, or a row does not have one value
            per column.
    """
    blocks: list[StarBlock] = []
    lines: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        if blocks and _is_plain_row(raw, blocks[-1]):
            blocks[-1].num_rows += 1
            lines.append(raw)
            continue
        values = _values(path, number, raw)
        if not values:
            continue
        if _opens_block(values, blocks):
            blocks.append(StarBlock(values[0][5:]))
            lines.append(values[0])
        elif blocks:
            lines.append(_masked_line(path, number, values, blocks[-1]))
    if not blocks:
        raise InputFileError(f"{path}: no data_ block, expected a STAR file; check the path")
    _check_names(path, blocks)
    return [block for block in blocks if block.columns], "\n".join(lines) + "\n"


def _is_plain_row(line: str, block: StarBlock) -> bool:
    """Whether a line is a further row of a loop that needs no second look, as nearly all are."""
    if not block.num_rows or not block.is_loop or not line.isascii() or _TRAP.search(line):
        return False
    values = line.split()
    return len(values) == len(block.columns) and not values[0].startswith(("_", "data_", "loop_"))


def _values(path: Path, number: int, line: str) -> list[str]:
    """The values of a line, without a comment."""
    found: list[str] = _VALUE.findall(line)
    for position, value in enumerate(found):
        if value.startswith("#"):
            return found[:position]
        if value.startswith('"') and (len(value) == 1 or not value.endswith('"')):
            raise InputFileError(f"{path}: line {number} opens a quote and never closes it")
    return found


def _opens_block(values: list[str], blocks: list[StarBlock]) -> bool:
    """A row may begin with a path like data_even/a.mrc: then it is as long as the table is wide."""
    if not values[0].startswith("data_"):
        return False
    in_loop = bool(blocks) and blocks[-1].is_loop
    return not (in_loop and len(values) > 1 and len(values) == len(blocks[-1].columns))


def _masked_line(path: Path, number: int, values: list[str], block: StarBlock) -> str:
    """Count the line into the block and rewrite it so that starfile reads the same values."""
    if values[0].startswith("loop_") and len(values) == 1:
        block.is_loop = True
        return "loop_"
    if values[0].startswith("_") and not block.num_rows:
        block.columns.append(values[0][1:])
        expected, found = (0, 0) if block.is_loop else (1, len(values) - 1)
        values = values[: 1 + expected]
        first, rest = values[0], values[1:]
    else:
        block.num_rows += 1
        expected, found = len(block.columns), len(values)
        first, rest = _masked(values[0]), values[1:]
    if found != expected or not block.columns:
        raise InputFileError(
            f"{path}: line {number} has {found} values, expected {expected} "
            f"(block data_{block.name}); put values with blanks into double quotes"
        )
    return " ".join([first, *(_masked(value) for value in rest)])


def _masked(value: str) -> str:
    """The value in double quotes, its own apostrophes and hashes masked."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    value = value.translate(_MASK)
    return f'"{value}"' if '"' not in value else value


def _check_names(path: Path, blocks: list[StarBlock]) -> None:
    names = Counter(block.name for block in blocks)
    for block in blocks:
        if names[block.name] > 1:
            raise InputFileError(f"{path}: two blocks are called data_{block.name}; rename one")
        for column, count in Counter(block.columns).items():
            if count > 1:
                raise InputFileError(f"{path}: column _{column} comes twice; remove one of them")
