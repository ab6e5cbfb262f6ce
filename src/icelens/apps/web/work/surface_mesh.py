"""Triangles of a map's surface: a vertex in each cell that the surface crosses, a quad for each edge.

References:
    Gibson, MICCAI 1998, 888 (constrained elastic surface nets, here without the relaxation).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]

# For an edge along each axis: the two other axes, so that the three are right-handed.
_OTHERS = {0: (1, 2), 1: (2, 0), 2: (0, 1)}


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface made of triangles.

    Attributes:
        position_xyz: `(vertex, 3)` in voxels from the centre voxel `n // 2`, float32.
        normal_xyz: `(vertex, 3)`, of length 1, pointing to where the density is lower.
        triangle: `(triangle, 3)` numbers of vertices, counterclockwise as seen from outside, uint32.
    """

    position_xyz: Field
    normal_xyz: Field
    triangle: npt.NDArray[np.uint32]

    def as_bytes(self, pixel_size: float) -> bytes:
        """Positions in Å, normals and triangles, little endian, one after the other."""
        return b"".join(
            np.ascontiguousarray(values, kind).tobytes()
            for values, kind in (
                (self.position_xyz * pixel_size, "<f4"), (self.normal_xyz, "<f4"), (self.triangle, "<u4"),
            )
        )  # fmt: skip


def surface_mesh(field: Field, level: float) -> Mesh:
    """The surface on which a density has a level; closed where the volume ends.

    Args:
        field: Density `(z, y, x)`, finite.
        level: Of the surface; without any voxel above it the mesh is empty.
    """
    # what reaches the border is closed there: a rim below the level
    low = np.float32(min(level - 1.0, float(field.min(initial=0.0)) - 1.0))
    grid = np.pad(field, 1, constant_values=low)
    inside = grid > level
    corners = np.zeros(tuple(side - 1 for side in grid.shape), np.uint8)
    for z in (0, 1):
        for y in (0, 1):
            for x in (0, 1):
                corners += _shifted(inside, (z, y, x))
    cell = np.flatnonzero((corners > 0) & (corners < 8))
    number = np.full(corners.size, -1, np.int64)
    number[cell] = np.arange(len(cell))
    place = np.stack(np.unravel_index(cell, corners.shape), axis=1)
    point = place + _crossing_mean(grid, level, place)
    centre = np.asarray([side // 2 for side in field.shape]) + 1.0  # of the rim
    return Mesh(
        (point - centre)[:, ::-1].astype(np.float32),
        _normals(grid, point)[:, ::-1].astype(np.float32),
        _triangles(inside, number.reshape(corners.shape)),
    )


def _shifted(inside: npt.NDArray[np.bool_], offset: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    window = tuple(
        slice(first, side - 1 + first) for first, side in zip(offset, inside.shape, strict=True)
    )
    return inside[window]


def _crossing_mean(
    grid: Field, level: float, place: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Mean of the points where the edges of cells meet the surface, from each cell's first corner."""
    total, count = np.zeros((len(place), 3)), np.zeros(len(place))
    for axis, (second, third) in _OTHERS.items():
        for b in (0, 1):
            for c in (0, 1):
                start = place.copy()
                start[:, second] += b
                start[:, third] += c
                end = start.copy()
                end[:, axis] += 1
                first, last = grid[tuple(start.T)], grid[tuple(end.T)]
                is_met = (first > level) != (last > level)
                with np.errstate(divide="ignore", invalid="ignore"):
                    share = np.where(is_met, (level - first) / (last - first), 0.0)
                total[:, axis] += share
                total[:, second] += b * is_met
                total[:, third] += c * is_met
                count += is_met
    return total / np.maximum(count, 1)[:, None]


def _triangles(
    inside: npt.NDArray[np.bool_], number: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint32]:
    """Two for each edge between inside and outside, over the four cells around it."""
    found = []
    for axis, (second, third) in _OTHERS.items():
        here = np.moveaxis(inside, (axis, second, third), (0, 1, 2))
        cells = np.moveaxis(number, (axis, second, third), (0, 1, 2))
        # edges on the rim have no four cells, and never cross
        first, last = here[:-1, 1:-1, 1:-1], here[1:, 1:-1, 1:-1]
        a, b, c = np.nonzero(first != last)
        corner = [cells[a, b + db, c + dc] for db, dc in ((0, 0), (1, 0), (1, 1), (0, 1))]
        quad = np.stack(corner, axis=1)
        # leaving along the axis the outside is ahead; entering, it is behind
        falls = first[a, b, c]
        quad = np.where(falls[:, None], quad, quad[:, ::-1])
        found += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    triangles = np.concatenate(found).astype(np.uint32)
    # z, y, x became x, y, z: the hand of the axes turned, and with it the sense of every triangle
    return np.ascontiguousarray(triangles[:, ::-1])


def _normals(grid: Field, point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minus the gradient of the density at points, linear between voxels."""
    from scipy.ndimage import map_coordinates

    normal = np.empty((len(point), 3))
    # the rim is no density: its slope would turn the normals of what is cut there, which is right
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 0.5
        ends = [
            map_coordinates(grid, (point + sign * step).T, order=1, mode="nearest")
            for sign in (1.0, -1.0)
        ]
        normal[:, axis] = ends[1] - ends[0]
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    return normal / np.where(length > 0, length, 1.0)
