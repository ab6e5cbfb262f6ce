"""Pair picks with true particles, one to one, no pair farther apart than a distance in Å."""

from collections import deque
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from icelens.core.errors import GeometryError, MetadataError

_ROUNDING = 1e-9
"""Part of the distance that sums of floats may go astray: a point on the sphere lies within it."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Pairs of true particles and picks: rows `truth[i]` and `found[i]` belong together."""

    truth: Int[np.ndarray, " pair"]
    found: Int[np.ndarray, " pair"]
    error_zyx: Float[np.ndarray, "pair 3"]
    """Pick minus truth, in Å."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.truth)


def match_points(
    truth_zyx: Float[np.ndarray, "truth 3"],
    found_zyx: Float[np.ndarray, "found 3"],
    distance: float,
) -> Matching:
    """As many one-to-one pairs as there can be and, of all such pairings, the closest one.

    It minimises the sum of distances among the pairings of greatest size, so that neither the order
    of the points nor their scores play a part, and two picks on one particle make one pair.

    Args:
        truth_zyx: True positions in Å.
        found_zyx: Picked positions in Å.
        distance: Farthest that a pair may lie apart, in Å; the limit itself counts.

    Raises:
        GeometryError: If the distance is not positive.
    """
    row, column, apart = close_pairs(truth_zyx, found_zyx, distance)
    num_truth, num_found = len(truth_zyx), len(found_zyx)
    links = coo_array(
        (np.ones(len(row), np.int8), (row, num_truth + column)),
        shape=(num_truth + num_found, num_truth + num_found),
    )
    # Particles lie apart, hence the large problem falls into many that are tiny.
    _, group = connected_components(links, directed=False)
    order = np.argsort(group[row], kind="stable")
    edges = np.flatnonzero(np.diff(group[row][order])) + 1
    pairs = [
        _assign(row[part], column[part], apart[part], distance)
        for part in np.split(order, edges)
        if len(part)
    ]
    matched = np.concatenate([np.empty((0, 2), np.intp), *pairs])
    matched = matched[np.argsort(matched[:, 0], kind="stable")]
    truth, found = matched[:, 0], matched[:, 1]
    return Matching(truth, found, np.asarray(found_zyx[found] - truth_zyx[truth], np.float64))


def true_by_score(
    truth_zyx: Float[np.ndarray, "truth 3"],
    found_zyx: Float[np.ndarray, "found 3"],
    score: Float[np.ndarray, " found"],
    distance: float,
) -> Bool[np.ndarray, " found"]:
    """Which picks find a particle that surer picks did not find.

    A pick is true if it raises the largest number of one-to-one pairs that it and all surer picks
    can form. The first k picks by score then hold as many true ones as `match_points` pairs of
    them, for every k: one pass gives the whole precision-recall curve.

    Args:
        truth_zyx: True positions in Å.
        found_zyx: Picked positions in Å.
        score: Of each pick; more is surer.
        distance: Farthest that a pair may lie apart, in Å.

    Raises:
        GeometryError: If the distance is not positive.
        MetadataError: If a score is not finite.
    """
    check_scores(score)
    row, column, apart = close_pairs(truth_zyx, found_zyx, distance)
    nearest = np.full(len(found_zyx), np.inf)
    np.minimum.at(nearest, column, apart)
    near_first = np.lexsort((apart, column))
    bounds = np.searchsorted(column[near_first], np.arange(len(found_zyx) + 1))
    particles = row[near_first].tolist()
    reach = [particles[bounds[k] : bounds[k + 1]] for k in range(len(found_zyx))]
    owner = [-1] * len(truth_zyx)
    is_true = np.zeros(len(found_zyx), bool)
    # Of picks equally sure the closer one comes first; their number is the same in any order.
    for pick in np.lexsort((nearest, -np.asarray(score, np.float64))).tolist():
        is_true[pick] = _augment(pick, reach, owner)
    return is_true


def check_scores(score: Float[np.ndarray, " found"]) -> None:
    """Refuse scores by which picks cannot be put in order.

    Raises:
        MetadataError: If a score is not finite.
    """
    num_bad = int((~np.isfinite(score)).sum())
    if num_bad:
        raise MetadataError(
            f"{num_bad} of {len(score)} picks have a score that is not a finite number; write the "
            "picks again with scores, or without any"
        )


def close_pairs(
    truth_zyx: Float[np.ndarray, "truth 3"],
    found_zyx: Float[np.ndarray, "found 3"],
    distance: float,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Every true particle and pick within reach of each other: their rows, and how far apart.

    Raises:
        GeometryError: If the distance is not positive.
    """
    if not (np.isfinite(distance) and distance > 0):
        raise GeometryError(
            f"the distance within which a pick counts is {distance:g} Å, expected more than 0; "
            "check the object's radius and the distance scale"
        )
    if not len(truth_zyx) or not len(found_zyx):
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    near = cKDTree(truth_zyx).sparse_distance_matrix(
        cKDTree(found_zyx), distance * (1 + _ROUNDING), output_type="ndarray"
    )
    # The tree's order is its own; sorted, the same points always give the same answer.
    near = near[np.lexsort((near["j"], near["i"]))]
    return near["i"].astype(np.intp), near["j"].astype(np.intp), near["v"].astype(np.float64)


def _assign(
    row: npt.NDArray[np.intp],
    column: npt.NDArray[np.intp],
    apart: npt.NDArray[np.float64],
    distance: float,
) -> npt.NDArray[np.intp]:
    """The best pairs (pair, 2) among points that are all linked."""
    rows, local_row = np.unique(row, return_inverse=True)
    columns, local_column = np.unique(column, return_inverse=True)
    # No sum of distances outweighs one pair fewer.
    forbidden = distance * (2.0 + min(len(rows), len(columns)))
    cost = np.full((len(rows), len(columns)), forbidden)
    cost[local_row, local_column] = apart
    chosen_row, chosen_column = linear_sum_assignment(cost)
    is_pair = cost[chosen_row, chosen_column] < forbidden
    return np.stack([rows[chosen_row[is_pair]], columns[chosen_column[is_pair]]], axis=1)


def _augment(pick: int, reach: Sequence[Sequence[int]], owner: list[int]) -> bool:
    """Give `pick` a particle, moving earlier picks to others if need be; whether that worked.

    Breadth-first search of an augmenting path (Berge 1957); `owner` is changed along it.
    """
    # Of each particle met: the pick that may take it, and the particle this pick gives up for it.
    taker: dict[int, tuple[int, int | None]] = {}
    waiting: deque[tuple[int, int | None]] = deque([(pick, None)])
    while waiting:
        current, held = waiting.popleft()
        for particle in reach[current]:
            if particle in taker:
                continue
            taker[particle] = (current, held)
            if owner[particle] < 0:
                _hand_on(particle, taker, owner)
                return True
            waiting.append((owner[particle], particle))
    return False


def _hand_on(
    free: int, taker: Mapping[int, tuple[int, int | None]], owner: MutableSequence[int]
) -> None:
    """Let each pick of a path take its new particle, from the free one back to the first pick."""
    particle: int | None = free
    while particle is not None:
        pick, held = taker[particle]
        owner[particle] = pick
        particle = held
