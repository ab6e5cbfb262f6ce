"""IsoNet2's tomogram list on disk: read, write, and change one column without losing another's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from icelens.core.data.tomograms import TomogramList
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import OnEvent, ignore
from icelens.core.io.atomic import atomic_path
from icelens.core.io.locks import exclusive_lock
from icelens.core.io.star import read_star, write_star

if TYPE_CHECKING:
    import pandas


def read_tomograms(star: Path) -> TomogramList:
    """Read the list; each row is checked.

    Raises:
        InputFileError: If the file is missing or no STAR.
        MetadataError: If a column is missing or a value impossible; names file, row and column.
    """
    blocks = read_star(star)
    return TomogramList(blocks[_list_block(star, blocks)], star)


def write_tomograms(star: Path, tomograms: TomogramList) -> None:
    """Write the list as one unnamed block, atomically."""
    with exclusive_lock(_made(star)):
        write_star(star, {"": tomograms.table})


def update_tomograms(
    star: Path,
    column: str,
    values: Mapping[int, object],
    *,
    wait_seconds: float = 20.0,
    on_event: OnEvent = ignore,
) -> TomogramList:
    """Change one column of the list on disk and return the list as it now is.

    The file is locked, read again, changed and replaced: what other jobs wrote meanwhile stays.

    Args:
        star: The list; must exist.
        column: House word (`mask`) or STAR column (`rlnMaskName`), appended if new.
        values: New value for each rlnIndex; other rows keep theirs.
        wait_seconds: How long to wait for another process.
        on_event: Told when there is somebody to wait for.

    Raises:
        RunLockedError: If another process holds the list for too long.
        MetadataError: If an index is not in the list.
    """
    with exclusive_lock(star, wait_seconds=wait_seconds, on_event=on_event):
        blocks = read_star(star)
        name = _list_block(star, blocks)
        changed = TomogramList(blocks[name], star).with_column(column, values)
        write_star(star, {**blocks, name: changed.table})
    return changed


def tomograms_to_json(tomograms: TomogramList, path: Path) -> None:
    """Write the table column by column, `{column: {row: value}}`, as `isonet.py star2json`."""
    with atomic_path(path) as temporary:
        temporary.write_text(tomograms.table.to_json(indent=1, force_ascii=False), encoding="utf-8")


def tomograms_from_json(path: Path) -> TomogramList:
    """Read a table written by `tomograms_to_json` or `isonet.py star2json`.

    Raises:
        InputFileError: If the file is missing or holds no such table.
    """
    import pandas as pd

    try:
        columns = json.loads(path.read_text(encoding="utf-8"))
        table = pd.DataFrame({name: list(cells.values()) for name, cells in columns.items()})
    except (OSError, ValueError, AttributeError) as error:
        raise InputFileError(
            f"{path}: not a table as {{column: {{row: value}}}} ({error}); "
            "write it again from the STAR file"
        ) from error
    return TomogramList(table.astype({c: object for c in table if table[c].dtype == "str"}), path)


def _list_block(star: Path, blocks: "Mapping[str, pandas.DataFrame]") -> str:
    """Name of the block that holds the list: the one with rlnIndex, else the first."""
    for name, frame in blocks.items():
        if "rlnTomoTiltSeriesStarFile" in frame.columns:
            raise MetadataError(
                f"{star}: a RELION-5 tomogram set, expected IsoNet2's list; "
                "make one with `icelens restore prepare`"
            )
        if "rlnIndex" in frame.columns:
            return name
    if not blocks:
        raise InputFileError(f"{star}: no table in it, expected a list of tomograms")
    return next(iter(blocks))


def _made(star: Path) -> Path:
    """The path, its folder made if need be."""
    try:
        star.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(f"{star}: cannot write here ({error.strerror})") from error
    return star
