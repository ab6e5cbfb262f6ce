"""The mask of a family of volumes: what any of them fills, widened, with a soft edge if wanted."""

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.errors import GeometryError
from icelens.core.volumes.masks import level_mask, usual_level

Floats = npt.NDArray[np.floating]


def density_level(volumes: Floats) -> float:
    """The level above which a voxel is dense: the usual one of each volume, mean over them.

    Args:
        volumes: `(state, z, y, x)`, protein bright; read one after the other.
    """
    return float(np.mean([usual_level(torch.from_numpy(np.array(each))) for each in volumes]))


def union_mask(
    volumes: Floats,
    *,
    pixel_size: float,
    level: float | None = None,
    dilation: float = 5.0,
    edge: float = 0.0,
) -> npt.NDArray[np.float32]:
    """1 where any of the volumes is dense, and within `dilation` of that.

    Args:
        volumes: `(state, z, y, x)`, protein bright; read one after the other.
        pixel_size: In Å/px.
        level: Above which a voxel is dense; `density_level` without it.
        dilation: Å by which the mask is wider than the dense voxels.
        edge: Width in Å of the cosine to 0 beyond it; 0 makes a step.

    Returns:
        `(z, y, x)` from 0 to 1.

    Raises:
        GeometryError: If no voxel is dense, or nearly all are.
    """
    used = density_level(volumes) if level is None else level
    is_dense = np.zeros(volumes.shape[1:], bool)
    for volume in volumes:
        is_dense |= np.asarray(volume) > used
    if not is_dense.any() or is_dense.all():
        found = "no voxel" if not is_dense.any() else "every voxel"
        raise GeometryError(
            f"{found} of the volumes is above {used:g}; give a mask or another mask level"
        )
    inside = torch.from_numpy(is_dense.astype(np.float32))
    mask = level_mask(inside, pixel_size=pixel_size, level=0.5, dilation=dilation, edge=edge)
    return mask.numpy()
