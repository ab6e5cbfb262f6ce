"""Mean and deviation of the volumes of a group, each weighted by the particles it stands for."""

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Values = npt.NDArray[np.floating]


def weighted_mean_and_deviation(
    volumes: Values, members: npt.NDArray[np.int64], weight: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation, voxel by voxel, of some of the volumes.

    Args:
        volumes: `(state, z, y, x)`, in memory or memory-mapped; read one after the other.
        members: Places of those that belong to the group.
        weight: `(state,)` of all volumes, 0 or more.

    Raises:
        GeometryError: If the group has no weight.
    """
    total = float(weight[members].sum())
    if not total > 0:
        raise GeometryError("a group of volumes that stand for no particle has no mean")
    mean = np.zeros(volumes.shape[1:])
    spread = np.zeros(volumes.shape[1:])
    seen = 0.0
    for place in members:
        share = float(weight[place])
        if share == 0:
            continue
        # West's update keeps its digits where volumes differ little from their mean
        seen += share
        difference = volumes[place] - mean
        mean += share / seen * difference
        spread += share * difference * (volumes[place] - mean)
    deviation = np.sqrt(np.maximum(spread / total, 0.0))
    return mean.astype(np.float32), deviation.astype(np.float32)
