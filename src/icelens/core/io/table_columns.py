"""Tables of particle files as columns: rows of a STAR block, or records of a .cs file."""

from typing import Any

import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.io.image_columns import blocks_of_images

Column = npt.NDArray[Any]


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
