"""Pairs of picks that face each other across one piece of membrane, and what lies between them."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import generate_binary_structure, label
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


def pieces_of(
    labels: npt.NDArray[np.generic], is_inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Number `(z, y, x)` of the piece of membrane each voxel belongs to, 0 outside.

    Where the labels inside differ they number the pieces (an instance segmentation); else each
    connected part, corners included, is one.
    """
    found = np.unique(labels[is_inside])
    if len(found) > 1:
        return np.where(is_inside, labels, 0).astype(np.int64)
    numbered, _ = label(is_inside, generate_binary_structure(3, 3))
    return np.asarray(numbered, np.int64)


def facing_pairs(positions: Floats, pieces: Numbers, *, window: tuple[float, float]) -> Numbers:
    """Pairs (pair, 2) of points that are each other's nearest on one piece, within a distance.

    Points nearer than the window are passed over, as duplicates of one particle would be.

    Args:
        positions: `(point, 3)`.
        pieces: Number of each point's piece; points of piece 0 belong to none.
        window: Least and largest distance, in the positions' unit.
    """
    pairs = [np.empty((0, 2), np.intp)]
    for piece in np.unique(pieces[pieces != 0]):
        members = np.flatnonzero(pieces == piece)
        partner = members[_nearest_beyond(positions[members], window)]
        place = np.full(len(positions), -1, np.intp)
        place[members] = partner
        # A point without partner is its own.
        is_mutual = (place[partner] == members) & (members < partner)
        pairs.append(np.stack([members[is_mutual], partner[is_mutual]], axis=-1))
    return np.concatenate(pairs)


def _nearest_beyond(positions: Floats, window: tuple[float, float]) -> Numbers:
    """For each point the nearest one in the window of distances, itself if there is none."""
    nearest = np.arange(len(positions))
    for number, others in enumerate(cKDTree(positions).query_ball_point(positions, window[1])):
        candidates = np.array([other for other in others if other != number], np.intp)
        away = np.linalg.norm(positions[candidates] - positions[number], axis=-1)
        is_far = away >= window[0]
        if is_far.any():
            nearest[number] = candidates[is_far][away[is_far].argmin()]
    return nearest
