"""Paint spheres as labels into a volume or a crop of it; of two that overlap, the nearer wins."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def label_spheres(
    shape: tuple[int, int, int],
    start_zyx: Sequence[int],
    centres_zyx_px: Floats,
    radii_px: Floats,
    labels: npt.NDArray[np.integer],
) -> npt.NDArray[np.uint8]:
    """Label the voxels of a crop whose centres lie in a sphere; the others are 0.

    Where spheres overlap, the one whose centre is nearer wins, in units of its own radius; of equal
    ones the first. Work is done only for spheres that touch the crop, in the boxes around them.

    Args:
        shape: Of the crop, in voxels.
        start_zyx: First voxel of the crop in its volume; may be negative.
        centres_zyx_px: (sphere, 3) in voxels from the centre of the volume's voxel (0, 0, 0), with
            fractions.
        radii_px: (sphere,) in voxels. One below half a voxel may hold no voxel's centre.
        labels: (sphere,) from 1 to 255.
    """
    painted = np.zeros(shape, np.uint8)
    nearest = np.full(shape, np.inf, np.float32)
    sides = np.asarray(shape)
    centres = np.asarray(centres_zyx_px, np.float64) - np.asarray(start_zyx)
    reach = np.asarray(radii_px, np.float64)[:, None]
    first = np.maximum(np.ceil(centres - reach), 0).astype(np.int64)
    last = np.minimum(np.floor(centres + reach), sides - 1).astype(np.int64)
    for number in np.flatnonzero((first <= last).all(axis=1)):
        low, high = first[number].tolist(), (last[number] + 1).tolist()
        box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
        z, y, x = (
            ((np.arange(start, stop) - centre) / radii_px[number]) ** 2
            for start, stop, centre in zip(low, high, centres[number], strict=True)
        )
        distance = (z[:, None, None] + y[:, None] + x).astype(np.float32)
        # a voxel on the surface belongs to the sphere, whatever float32 makes of it
        is_won = (distance <= 1.0 + 1e-6) & (distance < nearest[box])
        nearest[box][is_won] = distance[is_won]
        painted[box][is_won] = labels[number]
    return painted
