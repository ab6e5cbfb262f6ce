"""A grid of rotations that halves its step with each order: HEALPix directions times turns.

Order k has `72 * 8^k` rotations about `60 / 2^k` degrees apart. Rotation g looks along direction
`g // turns`, turned in the plane by step `g % turns`. Each cell has eight children of the next
order, which hold about nine tenths of it and as much of the neighbouring turns: turns are counted
in the frame of each cell's own centre, which keeps cells round at the poles.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.healpix import cell_angles, healpix_cell, num_cells
from icelens.core.geometry.relion_angles import matrices_from_relion_angles

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_TURNS_AT_ORDER_0 = 6


def num_turns(order: int) -> int:
    """In-plane steps of each direction."""
    return int(_TURNS_AT_ORDER_0 << order)


def num_rotations(order: int) -> int:
    """Rotations of the grid."""
    return num_cells(order) * num_turns(order)


def grid_step(order: int) -> float:
    """Degrees between neighbouring turns, and about that between neighbouring directions."""
    return 360.0 / num_turns(order)


def grid_rotations(order: int, index: npt.ArrayLike | None = None) -> Floats:
    """Rotations `(..., 3, 3)` of the grid, of all of it if no places are named."""
    place = np.arange(num_rotations(order)) if index is None else np.asarray(index, np.int64)
    cell, turn = np.divmod(place, num_turns(order))
    polar, longitude = cell_angles(order, cell)
    psi = (turn + 0.5) * grid_step(order)
    angles = np.stack([np.rad2deg(longitude), np.rad2deg(polar), psi], axis=-1)
    return matrices_from_relion_angles(angles)


def grid_index(rotation: npt.ArrayLike, order: int) -> Integers:
    """Place in the grid of the cell that holds each rotation `(..., 3, 3)`."""
    matrix = np.asarray(rotation, np.float64)
    cell = healpix_cell(matrix[..., 2, :], order)
    psi = _turn_between(matrix, _untwisted(order, cell))
    turn = np.floor((psi % 360.0) / grid_step(order)).astype(np.int64) % num_turns(order)
    return np.asarray(cell * num_turns(order) + turn, np.int64)


def children(index: npt.ArrayLike, order: int) -> Integers:
    """The eight places `(..., 8)` at the next order that a cell of this order holds.

    They lie in the four cells of its direction's, at the two turns next to its own. Every cell of
    the next order is the child of one cell.
    """
    cell, turn = np.divmod(np.asarray(index, np.int64)[..., None], num_turns(order))
    step = np.arange(8)
    inner = 4 * cell + step // 2
    turns = num_turns(order + 1)
    place: Integers = inner * turns + (2 * turn + step % 2 + _twist(order)[inner]) % turns
    return place


@cache
def _twist(order: int) -> Integers:
    """Steps of the next order that each of its directions `(cell,)` is turned against its parent.

    Turns are counted from the meridian of a direction, and near the poles those of neighbours are
    far from parallel.
    """
    inner = _untwisted(order + 1)
    outer = np.repeat(_untwisted(order), 4, axis=0)
    steps = _turn_between(outer, inner) / grid_step(order + 1)
    twist: Integers = np.round(steps).astype(np.int64)
    return twist


def _untwisted(order: int, cell: npt.ArrayLike | None = None) -> Floats:
    """Rotations `(..., 3, 3)` that look along directions, all if none is named, with psi 0."""
    polar, longitude = cell_angles(order, cell)
    angles = np.stack([np.rad2deg(longitude), np.rad2deg(polar), np.zeros(polar.shape)], axis=-1)
    return matrices_from_relion_angles(angles)


def _turn_between(rotation: Floats, start: Floats) -> Floats:
    """The psi in degrees that brings `start` closest to a rotation."""
    left = rotation @ np.swapaxes(start, -1, -2)
    sine, cosine = left[..., 0, 1] - left[..., 1, 0], left[..., 0, 0] + left[..., 1, 1]
    return np.asarray(np.rad2deg(np.arctan2(sine, cosine)), np.float64)
