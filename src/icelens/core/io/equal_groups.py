"""Make optics groups that agree in all but their number one, after files were joined."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.io.image_columns import OPTICS_GROUP, OPTICS_GROUP_NAME, blocks_of_images

if TYPE_CHECKING:
    import pandas


def with_equal_groups_merged(file: ParticleFile, names: Sequence[str]) -> ParticleFile:
    """The same rows, with one group for all that agree in everything but their number.

    Args:
        file: Joined, its groups numbered from 1 and made distinct by name.
        names: Of the groups as they were in their own files, in the same order.
    """
    optics = file.blocks["optics"]
    if len(names) != len(optics):
        return file
    original = optics.assign(**{OPTICS_GROUP_NAME: names})
    kept, number = _distinct_rows(original.drop(columns=OPTICS_GROUP))
    block, table = blocks_of_images(file.path, file.blocks)
    new = dict(zip(optics[OPTICS_GROUP].tolist(), (number + 1).tolist(), strict=True))
    merged = optics.iloc[kept].assign(**{OPTICS_GROUP: np.arange(len(kept)) + 1})
    blocks = {
        **file.blocks,
        "optics": merged.reset_index(drop=True),
        block: table.assign(**{OPTICS_GROUP: table[OPTICS_GROUP].map(new)}),
    }
    return replace(file, blocks=blocks)


def group_names(file: ParticleFile) -> list[str]:
    """Names of the groups as they come in a joined file."""
    optics = file.blocks.get("optics")
    if optics is not None and OPTICS_GROUP_NAME in optics.columns:
        return [str(name) for name in optics[OPTICS_GROUP_NAME]]
    return [group.name for group in file.particles.optics]


def _distinct_rows(
    table: "pandas.DataFrame",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First place of each distinct row, and for every row the place of its equal among those."""
    texts = table.astype(str).agg("\t".join, axis=1)
    _, first, inverse = np.unique(texts.to_numpy(str), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]
