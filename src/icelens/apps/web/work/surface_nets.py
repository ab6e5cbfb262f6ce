"""A triangle mesh of a level of a volume, by surface nets: one vertex in each cell it crosses.

Gibson, "Constrained elastic surface nets", MICCAI 1998, without the relaxation. Its triangles are
more even than those of marching cubes, and half as many.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from icelens.core.errors import GeometryError

Field = npt.NDArray[np.float32]

LARGEST_MESH = 1_000_000
"""Vertices: more are noise, and too much for a browser."""
_CORNERS = np.asarray(list(product((0, 1), repeat=3)))
# Pairs of corners along each axis of a cell.
_EDGES = tuple(
    (first, second)
    for first, second in product(range(8), repeat=2)
    if first < second and np.abs(_CORNERS[first] - _CORNERS[second]).sum() == 1
)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface seen from outside.

    Attributes:
        vertex_zyx: `(vertex, 3)` in voxels of the volume.
        normal_zyx: Unit vectors out of the density.
        triangles: `(triangle, 3)` numbers of vertices, counterclockwise from outside.
    """

    vertex_zyx: Field
    normal_zyx: Field
    triangles: npt.NDArray[np.uint32]


class TooManyVertices(GeometryError):
    """The level lies in the noise, where the surface is everywhere."""


def surface_nets(volume: Field, level: float) -> Mesh:
    """The surface around what is above a level; closed half a voxel outside the volume's borders.

    Args:
        volume: Finite values `(z, y, x)`, positive inside.
        level: Of the surface.

    Raises:
        TooManyVertices: If there would be more than `LARGEST_MESH` vertices.
    """
    field = _closed(volume, level)
    is_inside = field > level
    cells = _crossed_cells(is_inside)
    if len(cells) > LARGEST_MESH:
        raise TooManyVertices(
            f"the surface at {level:.4g} would have {len(cells)} vertices, at most {LARGEST_MESH} "
            "can be shown; raise the level"
        )
    cell_zyx = np.stack(np.unravel_index(cells, [side - 1 for side in field.shape]), axis=1)
    number = np.full([side - 1 for side in field.shape], -1, np.int32)
    number.reshape(-1)[cells] = np.arange(len(cells))
    vertex = cell_zyx + _crossings(field, cell_zyx, level)
    return Mesh(
        np.asarray(vertex - 1.0, np.float32),
        _normals(field, vertex),
        np.concatenate([_faces(is_inside, number, axis) for axis in range(3)]),
    )


def _closed(volume: Field, level: float) -> Field:
    """The volume with a layer around it that is below the level wherever its neighbour is above."""
    field = np.pad(volume, 1, mode="edge")
    for axis in range(3):
        for end in (0, -1):
            border = np.moveaxis(field, axis, 0)[end]
            np.copyto(border, np.minimum(border, np.float32(2.0 * level) - border))
    return field


def _crossed_cells(is_inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Flat numbers of the cells whose corners are not all on one side."""
    corners = np.zeros([side - 1 for side in is_inside.shape], np.uint8)
    for z, y, x in _CORNERS:
        corners += is_inside[_from(z), _from(y), _from(x)]
    return np.flatnonzero((corners > 0) & (corners < 8))


def _from(offset: int) -> slice:
    """All but the last, or all but the first."""
    return slice(1, None) if offset else slice(None, -1)


def _crossings(field: Field, cell_zyx: npt.NDArray[np.int64], level: float) -> Field:
    """Mean of the points where the edges of each cell cross the level, from its first corner."""
    corner = cell_zyx[:, None] + _CORNERS
    value = field[corner[..., 0], corner[..., 1], corner[..., 2]] - np.float32(level)
    total = np.zeros((len(cell_zyx), 3), np.float32)
    count = np.zeros(len(cell_zyx), np.float32)
    for first, second in _EDGES:
        start, end = value[:, first], value[:, second]
        is_crossed = (start > 0) != (end > 0)
        share = np.where(is_crossed, start / np.where(is_crossed, start - end, 1.0), 0.0)
        axis = int(np.flatnonzero(_CORNERS[first] != _CORNERS[second])[0])
        for each in range(3):
            along = share if each == axis else _CORNERS[first][each]
            total[:, each] += np.where(is_crossed, along, 0.0)
        count += is_crossed
    return np.asarray(total / count[:, None], np.float32)


def _faces(
    is_inside: npt.NDArray[np.bool_], number: npt.NDArray[np.int32], axis: int
) -> npt.NDArray[np.uint32]:
    """Two triangles for each grid edge along an axis that leaves or enters the density."""
    # the other axes in cyclic order, so that the winding is the same for all three
    others = [(axis + 1) % 3, (axis + 2) % 3]
    along = is_inside.transpose(axis, *others)
    cells = number.transpose(axis, *others)
    inner = along[:, 1:-1, 1:-1]
    leaves, enters = inner[:-1] & ~inner[1:], ~inner[:-1] & inner[1:]
    found = []
    for is_edge, is_flipped in ((leaves, False), (enters, True)):
        a, b, c = np.nonzero(is_edge)
        quad = [cells[a, b + db, c + dc] for db, dc in ((0, 0), (1, 0), (1, 1), (0, 1))]
        if is_flipped:
            quad.reverse()
        found += [np.stack([quad[k] for k in corners], 1) for corners in ((0, 1, 2), (0, 2, 3))]
    # counted in (z, y, x); seen in (x, y, z), which mirrors the order of corners
    return np.concatenate(found)[:, ::-1].astype(np.uint32)


def _normals(field: Field, vertex: npt.NDArray[np.floating]) -> Field:
    """Against the gradient, which is taken over one voxel to either side."""
    gradient = np.empty((len(vertex), 3), np.float32)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 0.75
        ends = [
            ndimage.map_coordinates(field, (vertex + sign * step).T, order=1, mode="nearest")
            for sign in (1.0, -1.0)
        ]
        gradient[:, axis] = ends[0] - ends[1]
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    return np.asarray(-gradient / np.maximum(length, 1e-20), np.float32)
