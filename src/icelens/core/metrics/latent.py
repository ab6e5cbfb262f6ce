"""How well latents tell what is known of particles: their state, or their place on a path."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr

from icelens.core.errors import GeometryError
from icelens.core.latents.principal_components import principal_components

Floats = npt.NDArray[np.float64]
_ROWS_AT_ONCE = 256
_CONSIDERED = 4
"""Principal components that a coordinate may show in."""
_DIGITS = 10
"""Of coordinates, as parts of the whole spread."""


def adjusted_rand_index(found: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Agreement of two partitions `(particle,)`: 1 for the same, 0 as by chance.

    References:
        Hubert & Arabie, J. Classif. 2 (1985) 193.
    """
    from sklearn.metrics import adjusted_rand_score

    first, second = _alike(found, truth)
    return float(adjusted_rand_score(first, second))


def adjusted_mutual_information(found: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Information that two partitions `(particle,)` share: 1 for the same, 0 as by chance.

    References:
        Vinh, Epps & Bailey, J. Mach. Learn. Res. 11 (2010) 2837.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    first, second = _alike(found, truth)
    return float(adjusted_mutual_info_score(first, second))


def rank_correlation(
    latent: npt.ArrayLike, truth: npt.ArrayLike, *, period: float | None = None
) -> float:
    """How well latents order particles along a known coordinate, from 0 to 1.

    For a coordinate on a line the greatest |rho| of Spearman over the first principal components of
    the latents. For one on a circle the angle in the plane of each pair of them takes the place of
    the coordinate, and agreement is Mardia's circular rank correlation: ranks are spread evenly
    over the circle, and the mean of `exp i (a - b)` is measured, either sense of turning allowed.
    Where many particles share a coordinate, 1 is not quite reached: 0.995 for ten states.

    Args:
        latent: `(particle, latent_dim)` or `(particle,)`.
        truth: `(particle,)`.
        period: Of the truth, such as 360.0; None if it lies on a line.

    References:
        Mardia, J. R. Stat. Soc. B 37 (1975) 349, section 6.
    """
    table, known = _tables(latent, truth)
    if known.shape[1] != 1:
        raise GeometryError(
            f"a truth of {known.shape[1]} coordinates has no order; give one of them"
        )
    components = _principal_components(table)
    if period is None:
        return max(_spearman(column, known[:, 0]) for column in components.T)
    if components.shape[1] < 2:
        angle = 2.0 * np.pi * rankdata(components[:, 0]) / len(components)
        return _circular(angle, known[:, 0], period)
    pairs = [(i, j) for j in range(1, components.shape[1]) for i in range(j)]
    angles = (np.arctan2(components[:, j], components[:, i]) for i, j in pairs)
    return max(_circular(angle, known[:, 0], period) for angle in angles)


def neighbourhood_similarity(
    latent: npt.ArrayLike, truth: npt.ArrayLike, *, num_neighbours: int, period: float | None = None
) -> float:
    """Share of a particle's nearest in the latents that are its nearest in truth, mean over all.

    All that are as near as the last of the true neighbours count as such, so that particles of one
    state, which cannot be told apart, are no misses.

    Args:
        latent: `(particle, latent_dim)`.
        truth: `(particle,)` or `(particle, coordinate)`.
        num_neighbours: How many are looked at; the particle itself is none.
        period: Of a truth that lies on a circle.
    """
    table, known = _tables(latent, truth)
    count = len(table)
    if not 0 < num_neighbours < count:
        raise GeometryError(
            f"{num_neighbours} neighbours of {count} particles; expected 1 to {count - 1}"
        )
    kept = 0.0
    for rows in _parts(count):
        near, true = _distances(table, rows, None), _distances(known, rows, period)
        chosen = np.argpartition(near, num_neighbours - 1, axis=1)[:, :num_neighbours]
        last = np.partition(true, num_neighbours - 1, axis=1)[:, [num_neighbours - 1]]
        kept += float((np.take_along_axis(true, chosen, axis=1) <= last).sum())
    return kept / (count * num_neighbours)


def information_imbalance(
    known: npt.ArrayLike,
    asked: npt.ArrayLike,
    *,
    period_known: float | None = None,
    period_asked: float | None = None,
) -> float:
    """How little distances in one space tell of those in another: 0 all, 1 nothing.

    Twice the mean rank that a particle's nearest neighbour in the first space has among its
    neighbours in the second, over their number. Ranks of equals are averaged, and so are equal
    neighbours.

    Args:
        known: `(particle, dimension)` or `(particle,)`, where nearest neighbours are looked up.
        asked: `(particle, dimension)` or `(particle,)`, where they are ranked.
        period_known: Of the first, if it lies on a circle.
        period_asked: Of the second.

    References:
        Glielmo et al., PNAS Nexus 1 (2022) pgac039, eq. 2.
    """
    first, second = _tables(known, asked)
    total = 0.0
    for rows in _parts(len(first)):
        near = _distances(first, rows, period_known)
        other = _distances(second, rows, period_asked)
        rank = rankdata(other, axis=1)
        is_nearest = near == near.min(axis=1, keepdims=True)
        total += float(((rank * is_nearest).sum(axis=1) / is_nearest.sum(axis=1)).sum())
    return 2.0 * total / len(first) ** 2


def _alike(found: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[npt.NDArray[np.generic], ...]:
    first, second = np.asarray(found), np.asarray(truth)
    if first.ndim != 1 or first.shape != second.shape:
        raise GeometryError(
            f"labels of shape {first.shape} and {second.shape}; give one for each particle in both"
        )
    return first, second


def _tables(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Both with a row for each particle, and as many of them."""
    tables = [np.asarray(each, np.float64) for each in (first, second)]
    one, other = (each[:, None] if each.ndim == 1 else each for each in tables)
    if one.ndim != 2 or other.ndim != 2 or len(one) != len(other) or len(one) < 2:
        raise GeometryError(
            f"coordinates of shape {tables[0].shape} and {tables[1].shape}; give a row for each "
            "particle in both, of two particles or more"
        )
    return one, other


def _principal_components(table: Floats) -> Floats:
    """Coordinates `(particle, component)` along the first few axes of greatest variance."""
    found = principal_components(table, _CONSIDERED)
    scores = found.coordinates(table)
    strength = np.sqrt(found.variance[0] * (len(table) - 1))
    # equal latents stay equal: ranks would part what only rounding parts
    unit = max(float(strength), np.finfo(np.float64).tiny)
    rounded: Floats = np.round(scores / unit, _DIGITS)
    return rounded


def _spearman(values: Floats, truth: Floats) -> float:
    if np.ptp(values) == 0 or np.ptp(truth) == 0:
        return 0.0
    return abs(float(spearmanr(values, truth).statistic))


def _circular(angle: Floats, truth: Floats, period: float) -> float:
    """Mardia's circular rank correlation of an angle in radians with a truth of some period."""
    first = 2.0 * np.pi * rankdata(np.mod(angle, 2.0 * np.pi)) / len(angle)
    second = 2.0 * np.pi * rankdata(np.mod(truth, period)) / len(truth)
    return max(abs(complex(np.exp(1j * (first + sign * second)).mean())) for sign in (-1.0, 1.0))


def _parts(count: int) -> list[npt.NDArray[np.int64]]:
    starts = range(0, count, _ROWS_AT_ONCE)
    return [np.arange(start, min(start + _ROWS_AT_ONCE, count)) for start in starts]


def _distances(points: Floats, rows: npt.NDArray[np.int64], period: float | None) -> Floats:
    """From some points to all, `(row, particle)`; infinite to the point itself."""
    squared = np.zeros((len(rows), len(points)))
    for column in points.T:
        difference = np.abs(column[rows, None] - column)
        if period is not None:
            difference = np.mod(difference, period)
            difference = np.minimum(difference, period - difference)
        squared += difference**2
    squared[np.arange(len(rows)), rows] = np.inf
    return np.sqrt(squared)
