"""Cut boxes around particles in the particles' own frame, all turned as the reference is."""

import math

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.volumes.crop import Box, cut_subtomogram
from icelens.core.volumes.rotate import rotate


def cut_oriented_subtomogram(
    array: npt.NDArray[np.generic],
    centre_zyx_px: npt.NDArray[np.float64],
    box_size: int,
    rotation: npt.NDArray[np.float64],
) -> Box:
    """Cut a box `v'(r) = v(centre + rotation r)` about voxel `box_size // 2`, interpolated once.

    Args:
        array: Volume `(z, y, x)`.
        centre_zyx_px: Place in voxels from the centre of voxel (0, 0, 0).
        box_size: Side of the box in voxels.
        rotation: Takes the reference to the tomogram, on xyz columns; undone here.

    Raises:
        GeometryError: If the box lies outside the volume, or is empty.
    """
    # An odd box turns about its centre voxel, and this one holds the wanted one however it turns.
    large = 2 * math.ceil(math.sqrt(3.0) * box_size / 2 + 1) + 1
    around = torch.from_numpy(cut_subtomogram(array, centre_zyx_px, large))
    undo = torch.from_numpy(np.array(rotation, np.float32).T.copy())
    turned = rotate(around[None], undo[None])[0].numpy()
    kept = slice(large // 2 - box_size // 2, large // 2 - box_size // 2 + box_size)
    return np.ascontiguousarray(turned[kept, kept, kept])
