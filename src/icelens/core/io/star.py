"""Read and write STAR tables through starfile, strictly: no row, string or digit may change.

starfile alone fills short rows with NaN, cuts values at `#` and apostrophes and rounds to six
decimals. This layer counts rows and values itself, decides types by column, and writes numbers that
read back equal.
"""

import math
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import open_plain
from icelens.core.io.star_scan import UNMASK, StarBlock, scan_star

if TYPE_CHECKING:
    import pandas

# Plain decimal integers without leading zeros; 007 is a name.
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})\Z")
_NUMBER = re.compile(r"(?![+-]?0\d+\Z)[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_NAN_WORDS = {"nan", "NaN", "<NA>"}
_MOST_COLUMNS = 2000
_LIST_LAYOUT = "star_list"


def read_star(path: Path) -> "dict[str, pandas.DataFrame]":
    """Read all blocks of a STAR file, in their order.

    A column becomes integers or floats only if each of its values is a number; `007` and `None`
    stay text, `nan` and `<NA>` are missing values. A block without `loop_` is a table of one row,
    and `write_star` writes it without a loop again.

    Raises:
        InputFileError: If the file is missing, empty, not a STAR, or a row has too few or too many
            values.
    """
    blocks, masked = scan_star(path, _read_text(path))
    parsed = _parse(path, masked, blocks)
    return {block.name: _frame(path, block, parsed.get(block.name)) for block in blocks}


def write_star(path: Path, blocks: "Mapping[str, pandas.DataFrame]") -> None:
    """Write tables as STAR blocks, atomically; floats have six decimals, or more if they need them.

    Raises:
        InputFileError: If the file cannot be written.
        MetadataError: If a value holds a tab, a line break or a double quote.
    """
    import starfile

    texts = [text for frame in blocks.values() for text in _texts(frame)]
    for text in texts:
        if any(mark in text for mark in '\t\n\r"'):
            raise MetadataError(
                f"{path}: STAR cannot hold {text!r} (tab, line break or double quote); rename it"
            )
    content = starfile.to_string(
        {name: _writable(frame) for name, frame in blocks.items()},
        float_format=_format_float,
        quote_all_strings=any(_needs_quotes(text) for text in texts),
    )
    # starfile's first line names the hour; without it the same table gives the same file.
    body = content.split("\n", 1)[1]
    with atomic_path(path) as temporary:
        temporary.write_text("# written by icelens\n" + body, encoding="utf-8")


def _read_text(path: Path) -> str:
    try:
        with open_plain(path) as file:
            text = file.read().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: no such STAR file; check the path") from error
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: not text in UTF-8 (byte {error.start}), expected a STAR file; "
            "check the path or save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}), expected a STAR file; check the path"
        ) from error
    if not text.strip():
        raise InputFileError(f"{path}: the file is empty, expected a STAR table; write it again")
    return text


def _parse(path: Path, masked: str, blocks: list[StarBlock]) -> dict[str, Any]:
    """Let starfile parse a copy without traps, leaving all values text."""
    import starfile

    columns = [column for block in blocks for column in block.columns]
    if len(columns) > _MOST_COLUMNS:  # the time to parse them grows with their square
        raise InputFileError(
            f"{path}: {len(columns)} columns, expected at most {_MOST_COLUMNS}; is it a STAR table?"
        )
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "masked.star"
            copy.write_text(masked, encoding="utf-8")
            return dict(starfile.read(copy, always_dict=True, parse_as_string=columns))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputFileError(
            f"{path}: not a readable STAR file ({reason}); correct it or write it again"
        ) from error


def _frame(path: Path, block: StarBlock, parsed: object) -> "pandas.DataFrame":
    """The block's table with typed columns, after comparing starfile's count with ours."""
    import pandas as pd

    if not block.is_loop:
        values = parsed if isinstance(parsed, Mapping) else {}
        frame = pd.DataFrame({name: [value] for name, value in values.items()})
        frame.attrs[_LIST_LAYOUT] = True
    else:
        frame = parsed if isinstance(parsed, pd.DataFrame) else pd.DataFrame()
    num_rows = block.num_rows if block.is_loop else 1
    if len(frame) != num_rows or list(frame.columns) != block.columns:
        raise InputFileError(
            f"{path}: block data_{block.name} has {num_rows} rows, {len(block.columns)} columns, "
            f"but only {len(frame)} x {len(frame.columns)} could be read; check its layout"
        )
    typed = {name: _typed(frame[name]) for name in frame.columns}
    result = pd.DataFrame(typed, columns=frame.columns)
    result.attrs.update(frame.attrs)
    return result


def _typed(column: "pandas.Series[Any]") -> "pandas.Series[Any]":
    """Numbers if all values are numbers, else text with the masked letters put back."""
    import pandas as pd

    values = column.to_numpy(dtype=object).tolist()  # pandas iterates ten times more slowly
    texts: list[str | None] = [None if _is_missing(value) else value for value in values]
    present = [text for text in texts if text is not None]
    if len(present) == len(texts) > 0 and all(map(_INTEGER.match, present)):
        return pd.Series(list(map(int, present)), dtype="int64")
    if texts and all(map(_NUMBER.match, present)):
        numbers = [math.nan if text is None else float(text) for text in texts]
        return pd.Series(numbers, dtype="float64")
    return pd.Series([text and text.translate(UNMASK) for text in texts], dtype="object")


def _is_missing(value: object) -> bool:
    return value is None or value != value or value in _NAN_WORDS


def _writable(frame: "pandas.DataFrame") -> object:
    """The table as starfile takes it: a dict for a block without a loop."""
    if frame.attrs.get(_LIST_LAYOUT) and len(frame) == 1:
        values = {str(name): frame[name].iloc[0] for name in frame.columns}
        return {
            name: _format_float(value) if isinstance(value, float) else value
            for name, value in values.items()
        }
    return frame


def _texts(frame: "pandas.DataFrame") -> Iterable[str]:
    """Values that are text."""
    for name in frame.columns:
        if frame[name].dtype.kind not in "iufb":
            yield from (value for value in frame[name] if isinstance(value, str))


def _needs_quotes(text: str) -> bool:
    """Whether bare text would be read as a comment, a block, a name or a missing value."""
    return "#" in text or text.startswith(("data_", "loop_", "_", "'"))


def _format_float(value: float) -> str:
    """Six decimals as other programs write, or as many digits as give the same number back."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else repr(float(value))
    usual = f"{value:.6f}"
    return usual if float(usual) == value else repr(float(value))
