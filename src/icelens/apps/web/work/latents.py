"""What the latent explorer asks of a run: what there is, columns as binary, rows by an expression.

All it asks stands in this module, so that one process holds the run and its model.
"""

import zlib
from pathlib import Path

import numpy as np

from icelens.apps.web.work.column_kinds import packed_columns
from icelens.apps.web.work.decoding import decode, save_volume
from icelens.apps.web.work.latent_path import path, point, save_path
from icelens.apps.web.work.latent_selection import save_selection
from icelens.apps.web.work.opened_latents import OpenedLatents, open_latents
from icelens.apps.web.worker import Answer
from icelens.core.data.row_filter import filter_rows

__all__ = [
    "chosen_where",
    "columns",
    "decode",
    "describe",
    "path",
    "point",
    "save_path",
    "save_selection",
    "save_volume",
]


def describe(*, run: str, table: str | None = None) -> Answer:
    """What there is: particles, columns with their kinds, and what is missing.

    Args:
        run: Folder of the run.
        table: Further CSV with a column `row`.

    Raises:
        IcelensError: If the folder is no run with latents.
    """
    opened = _opened(run, table)
    source = opened.run
    return Answer(
        {
            "kind": source.kind,
            "count": len(opened.table),
            "latent_dim": source.latent_dim,
            "box_size": source.box_size,
            "pixel_size": source.pixel_size,
            "columns": [kind.as_json() for kind in opened.kinds.values()],
            "explained": [float(share) for share in opened.components.explained],
            "notes": list(opened.notes),
            "has_analysis": opened.has_analysis,
            "can_save": opened.file is not None,
            "version": version_of(opened),
        }
    )


def columns(*, run: str, names: list[str], table: str | None = None) -> Answer:
    """Columns one after the other, float32 little endian; NaN is not known.

    Args:
        run: Folder of the run.
        names: Of up to 8 columns.
        table: Further CSV with a column `row`.

    Raises:
        InputFileError: If there is no such column.
        MetadataError: If there are too many or none.
    """
    opened = _opened(run, table)
    blob = packed_columns(run, opened, names)
    return Answer({"names": names, "count": len(opened.table)}, blob)


def chosen_where(*, run: str, where: str, table: str | None = None) -> Answer:
    """Which particles an expression is true for, as bits, the first particle in the lowest bit.

    Args:
        run: Folder of the run.
        where: As in `icelens hetero select --where`.
        table: Further CSV with a column `row`.

    Raises:
        MetadataError: If the expression cannot be read or names what is not there.
    """
    opened = _opened(run, table)
    chosen = filter_rows(where, opened.columns)
    bits = np.packbits(chosen, bitorder="little").tobytes()
    return Answer({"count": len(chosen), "chosen": int(chosen.sum())}, bits)


def version_of(opened: OpenedLatents) -> str:
    """Changes when the latents do, so that a selection of others is not taken for one of these."""
    latent = opened.table.latent
    # some of them tell as well as all, and sooner; no hash(), which differs from process to process
    some = np.ascontiguousarray(latent[:: max(1, len(latent) // 1000)])
    return f"{len(latent)}-{zlib.crc32(some.tobytes()):08x}"


def _opened(run: str, table: str | None) -> OpenedLatents:
    return open_latents(Path(run), None if table is None else Path(table))
