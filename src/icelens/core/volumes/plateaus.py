"""Turn flat tops into single peaks: saturated maps have many voxels of the same highest value."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from icelens.core.volumes.exclusion import strongest_apart
from icelens.core.volumes.neighbours import (
    FloatVolume,
    Voxels,
    coordinates,
    equal_pairs,
    local_maxima,
)

Floats = npt.NDArray[np.float64]


def merge_plateaus(
    volume: FloatVolume, voxels: Voxels, *, widest_px: float
) -> tuple[Floats, Floats]:
    """One position for each flat top among local maxima, with its height.

    A flat shoulder, some voxel of which has a higher neighbour, is no top and is left out. A flat
    top that reaches farther than `widest_px` from its middle is several tops that ran together;
    it gives the points deepest inside it, no two closer than `widest_px`.

    Args:
        volume: The map `(z, y, x)`.
        voxels: Flat indices of its local maxima, ascending, as `local_maxima` returns them.
        widest_px: In voxels.

    Returns:
        Positions `(top, 3)` in voxels and heights, in the order of their first voxels.
    """
    if not len(voxels):
        return np.empty((0, 3)), np.empty(0)
    values = volume.reshape(-1)[voxels].astype(np.float64)
    positions = coordinates(voxels, volume.shape).T.astype(np.float64)
    top, is_shoulder = _tops(volume, voxels)
    count = np.bincount(top, minlength=len(is_shoulder))
    middle = np.stack([np.bincount(top, axis) / count for axis in positions.T], axis=-1)
    reach = np.zeros(len(count))
    np.maximum.at(reach, top, np.linalg.norm(positions - middle[top], axis=-1))
    height = np.zeros(len(count))
    height[top] = values
    is_single = ~is_shoulder & (reach <= widest_px)
    found, heights = [middle[is_single]], [height[is_single]]
    for number in np.flatnonzero(~is_shoulder & (reach > widest_px)):
        deepest = _deepest_points(positions[top == number], widest_px)
        found.append(deepest)
        heights.append(np.full(len(deepest), height[number]))
    return np.concatenate(found), np.concatenate(heights)


def _tops(volume: FloatVolume, voxels: Voxels) -> tuple[Voxels, npt.NDArray[np.bool_]]:
    """Number of the connected flat top of each voxel, and which of them are but shoulders."""
    first, second = [], []
    touches_shoulder = np.zeros(len(voxels), bool)
    for numbers, others in equal_pairs(volume, voxels):
        place = np.minimum(np.searchsorted(voxels, others), len(voxels) - 1)
        # An equal neighbour that is no local maximum has a higher one beside it.
        is_maximum = voxels[place] == others
        touches_shoulder[numbers[~is_maximum]] = True
        first.append(numbers[is_maximum])
        second.append(place[is_maximum])
    rows, columns = np.concatenate(first), np.concatenate(second)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(voxels),) * 2)
    num, top = connected_components(graph, directed=False)
    is_shoulder = np.zeros(num, bool)
    is_shoulder[top[touches_shoulder]] = True
    return top.astype(np.intp), is_shoulder


def _deepest_points(positions: Floats, apart_px: float) -> Floats:
    """The points farthest from the rim of a set of voxels, none closer than `apart_px`."""
    corner = positions.min(axis=0) - 1  # a rim of one voxel around it
    inside = np.zeros((positions.max(axis=0) - corner + 2).astype(int), bool)
    voxels = tuple((positions - corner).astype(int).T)
    inside[voxels] = True
    depth = distance_transform_edt(inside)
    deep = local_maxima(depth, 1.0)
    points: Floats = coordinates(deep, depth.shape).T + corner
    kept = strongest_apart(points, depth.reshape(-1)[deep], radius=apart_px)
    return points[kept]
