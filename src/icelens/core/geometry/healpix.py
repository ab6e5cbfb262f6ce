"""Equal-area cells of the sphere (HEALPix, nested numbers): their centres, and the cell of a point.

Order k has `12 * 4^k` cells; cell c holds the cells `4c` to `4c + 3` of the next order.

References:
    Gorski et al., Astrophys. J. 622 (2005) 759, section 4.
"""

import math

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_FACES = 12
# Ring of the southernmost corner and longitude of each of the twelve base faces.
_FACE_RING = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_FACE_LONGITUDE = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])
MAX_ORDER = 12


def num_cells(order: int) -> int:
    """How many cells there are of an order.

    Raises:
        GeometryError: If the order is not from 0 to 12.
    """
    if not 0 <= order <= MAX_ORDER:
        raise GeometryError(f"HEALPix order {order}: expected 0 to {MAX_ORDER}")
    return _FACES << 2 * order


def cell_angles(order: int, cell: npt.ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Polar angle and longitude in radians of the centres of cells, of all if none is named."""
    given = np.arange(num_cells(order)) if cell is None else np.asarray(cell, np.int64)
    number = given.ravel()
    side = 1 << order
    face, within = np.divmod(number, side * side)
    x, y = _even_bits(within), _even_bits(within >> 1)
    ring = _FACE_RING[face] * side - x - y - 1
    is_north, is_south = ring < side, ring > 3 * side
    quarter = np.where(is_north, ring, np.where(is_south, 4 * side - ring, side))
    cap = quarter**2 / (3.0 * side**2)
    belt = (2 * side - ring) * 2.0 / (3.0 * side)
    z = np.where(is_north, 1.0 - cap, np.where(is_south, cap - 1.0, belt))
    shift = np.where(is_north | is_south, 0, (ring - side) & 1)
    place = (_FACE_LONGITUDE[face] * quarter + x - y + 1 + shift) // 2
    place = (place - 1) % (4 * quarter) + 1
    longitude = (place - 0.5 * (shift + 1)) * (0.5 * math.pi / quarter)
    return np.arccos(z).reshape(given.shape), longitude.reshape(given.shape)


def healpix_directions(order: int) -> Floats:
    """Unit vectors `(cell, 3)`, xyz, to the centres of all cells."""
    polar, longitude = cell_angles(order)
    sine = np.sin(polar)
    return np.stack([sine * np.cos(longitude), sine * np.sin(longitude), np.cos(polar)], axis=-1)


def healpix_cell(direction_xyz: npt.ArrayLike, order: int) -> Integers:
    """Number of the cell that each direction `(..., 3)`, of any length but zero, lies in."""
    num_cells(order)
    side = 1 << order
    given = np.asarray(direction_xyz, np.float64)
    vector = given.reshape(-1, 3)
    x, y, z = (vector / np.linalg.norm(vector, axis=1, keepdims=True)).T
    quarter = (np.arctan2(y, x) / (0.5 * math.pi)) % 4.0
    is_belt = np.abs(z) <= 2.0 / 3.0
    face, ix, iy = np.where(is_belt, _belt_place(z, quarter, side), _cap_place(z, quarter, side))
    cell: Integers = face * side * side + _spread_bits(ix) + 2 * _spread_bits(iy)
    return cell.reshape(given.shape[:-1])


def _belt_place(z: Floats, quarter: Floats, side: int) -> Integers:
    """Face and place within it between the latitudes `|z| <= 2/3`."""
    rising = np.floor(side * (0.5 + quarter - 0.75 * z)).astype(np.int64)
    falling = np.floor(side * (0.5 + quarter + 0.75 * z)).astype(np.int64)
    face_1, face_2 = rising // side, falling // side
    face = np.where(
        face_1 == face_2, face_1 % 4 + 4, np.where(face_1 < face_2, face_1 % 4, face_2 % 4 + 8)
    )
    return np.stack([face, falling % side, side - rising % side - 1])


def _cap_place(z: Floats, quarter: Floats, side: int) -> Integers:
    """Face and place within it near the poles."""
    sector = np.minimum(np.floor(quarter), 3).astype(np.int64)
    part = quarter - sector
    width = side * np.sqrt(3.0 * np.maximum(0.0, 1.0 - np.abs(z)))
    first = np.minimum(np.floor(part * width).astype(np.int64), side - 1)
    second = np.minimum(np.floor((1.0 - part) * width).astype(np.int64), side - 1)
    is_north = z > 0
    return np.stack(
        [
            np.where(is_north, sector, sector + 8),
            np.where(is_north, side - second - 1, first),
            np.where(is_north, side - first - 1, second),
        ]
    )


def _even_bits(number: Integers) -> Integers:
    """Bits 0, 2, 4 ... of a number, moved together."""
    taken = np.zeros_like(number)
    for bit in range(MAX_ORDER):
        taken |= ((number >> (2 * bit)) & 1) << bit
    return taken


def _spread_bits(number: Integers) -> Integers:
    """Bits 0, 1, 2 ... of a number, moved to places 0, 2, 4 ..."""
    number = number.astype(np.int64)
    spread = np.zeros_like(number)
    for bit in range(MAX_ORDER):
        spread |= ((number >> bit) & 1) << (2 * bit)
    return spread
