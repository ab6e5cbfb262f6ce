"""Turn bytes of a log into lines that can be shown: levels, times, no control characters."""

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error", ""]
LONGEST = 2000
"""Characters of a line that are shown."""
_HEAD = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.+Z-]+) (INFO|WARNING|ERROR) +(.*)$", re.DOTALL)
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, moves of the cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles of terminals
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Those that do something to the text around them, such as turning its direction."""
_WARNS = re.compile(r"^(?:\S+:\d+: )?\w*warning\b", re.IGNORECASE)
_FAILS = re.compile(r"^(?:Traceback \(|[\w.]*error\b|fatal|killed)", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of a log.

    Attributes:
        offset: Byte at which it begins.
        level: Empty for a line that goes on from the one before, or says none.
        time: Empty where the log gives none.
        cut: How many characters more it has.
    """

    offset: int
    text: str
    level: Level = ""
    time: str = ""
    cut: int = 0


def read_lines(block: bytes, start: int) -> tuple[list[Line], str]:
    """Lines of a block that begins at an offset, and the text of its last, unfinished line."""
    *whole, rest = block.split(b"\n")
    lines, offset = [], start
    for raw in whole:
        lines.append(_line(raw, offset))
        offset += len(raw) + 1
    return lines, _shown(rest)[:LONGEST]


def _line(raw: bytes, offset: int) -> Line:
    text = _shown(raw)
    cut = max(0, len(text) - LONGEST)
    head = _HEAD.match(text)
    if head is not None:
        level: Level = head[2].lower()  # type: ignore[assignment]
        return Line(offset, head[3][:LONGEST], level, head[1], cut)
    return Line(offset, text[:LONGEST], _level_of(text), "", cut)


def _level_of(text: str) -> Level:
    """What a line of another program says of itself."""
    if _WARNS.match(text[:200]):
        return "warning"
    return "error" if _FAILS.match(text[:200]) else ""


def _shown(raw: bytes) -> str:
    """Text of a line; of a progress bar that was written over itself, its last state."""
    raw = raw[-(2**20) :].rstrip(b"\r")
    raw = raw.rpartition(b"\r")[2] if b"\r" in raw else raw
    return _CONTROLS.sub("", _ESCAPES.sub("", raw.decode("utf-8", errors="replace")))
