"""Columns of inferred particles besides the best pose."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.io.image_columns import HALF_SET
from icelens.tasks.pose.found_poses import FoundPoses
from icelens.tasks.pose.refine_columns import further_poses

CONFIDENCE = "rlnParticleFigureOfMerit"
ZSCORE = "ilDirectionalZScore"
USED = "ilIsUsed"

Columns = dict[str, npt.NDArray[np.generic]]


def columns_of(
    file: ParticleFile, found: FoundPoses, half_set: npt.NDArray[np.int64] | None
) -> Columns:
    """Confidence, z-score, what the refinement says, and further poses, for each row.

    The confidence is the network's: the probability of its best mode. What the refinement says of
    its own poses is in the columns that `icelens pose refine` writes.
    """
    table = found.table
    columns: Columns = {
        CONFIDENCE: found.network.probability[:, 0],
        ZSCORE: np.nan_to_num(found.zscore, nan=0.0),
        USED: found.is_kept.astype(np.int64),
        "ilNetworkWidthDegrees": found.network.width[:, 0],
    }
    chosen = replace(
        file, particles=file.particles.take(found.rows), table_row=file.table_row[found.rows]
    )
    columns |= further_poses(chosen, table)
    if half_set is not None:
        columns[HALF_SET] = half_set
    return columns
