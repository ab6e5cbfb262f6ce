"""Tables of particle files as columns: rows of a STAR block, or records of a .cs file."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.io.image_columns import blocks_of_images

Column = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


def table_columns(file: ParticleFile) -> dict[str, Column]:
    """Each column of the file's table by name; a tilt stack is one row.

    Fields of `.cs` files get names that can stand in an expression: `ctf/df1_A` is `ctf_df1_A`,
    and lists come apart as `alignments3D_pose_0` and so on.
    """
    if file.records is not None:
        return record_columns(file.records)
    _, table = blocks_of_images(file.path, file.blocks)
    return {str(name): table[name].to_numpy() for name in table.columns}


def record_columns(records: npt.NDArray[Any]) -> dict[str, Column]:
    """Columns of cryoSPARC's records."""
    columns: dict[str, Column] = {}
    for name in records.dtype.names or ():
        values, plain = records[name], str(name).replace("/", "_")
        if values.dtype.kind == "S":
            values = values.astype(str)
        flat = values.reshape(len(values), -1)
        if values.ndim == 1:
            columns[plain] = values
        else:
            columns |= {f"{plain}_{place}": part for place, part in enumerate(flat.T)}
    return columns


def rows_of_table(file: ParticleFile, table_rows: npt.ArrayLike) -> Integers:
    """Images that belong to rows of the table, in the order of the images."""
    return np.flatnonzero(np.isin(file.table_row, np.asarray(table_rows)))


def num_table_rows(file: ParticleFile) -> int:
    """Rows of the table: images, or stacks of tilts."""
    return len(next(iter(table_columns(file).values())))


def require_column(path: Path, columns: Mapping[str, Column], name: str) -> Column:
    """A column, or an error that offers the nearest names.

    Raises:
        MetadataError: If it is not there.
    """
    plain = name.removeprefix("_").replace("/", "_")
    if plain not in columns:
        raise MetadataError(f"{path}: no column {name}; {offer(plain, columns)}")
    return columns[plain]


def offer(name: str, known: Iterable[str]) -> str:
    """The names next to one that does not exist, or all there are."""
    names = sorted(known)
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
