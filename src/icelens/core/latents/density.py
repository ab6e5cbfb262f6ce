"""How densely particles lie about a latent."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]

_MOST_COUNTED = 50_000
"""Particles among which neighbours are counted; the density of more is their share of it."""
_LONELY = 3.0
_HANDFUL = 100
_TOLERANCE = 0.5
"""Of the search for neighbours; distances come out less than 1 % too large on average."""


def typical_neighbours(num_particles: int) -> int:
    """How many neighbours say how dense it is: the root of the number, from 1 to 50.

    The error of a density from k neighbours is 1 / sqrt(k), its blur grows with (k / n)^(1/d).
    """
    return int(np.clip(round(num_particles**0.5), 1, min(50, max(num_particles - 1, 1))))


def is_lonely(density: Floats, dimension: int) -> npt.NDArray[np.bool_]:
    """Which particles have their k-th neighbour farther than three times as far as usual.

    Of a handful of particles none is, because what is usual is not known.

    Args:
        density: `(particle,)` from `neighbour_density`.
        dimension: Of the latents.
    """
    if len(density) < _HANDFUL:
        return np.zeros(len(density), bool)
    return np.asarray(density < _LONELY ** (-float(dimension)), bool)


def neighbour_density(points: Floats, *, seed: int = 0) -> Floats:
    """Density at each particle `(particle,)` relative to the median, from its k-th neighbour.

    `p ~ k / (n r_k^d)`: Loftsgaarden & Quesenberry, Ann. Math. Stat. 36, 1049 (1965).

    Args:
        points: `(particle, dimension)`, scaled so that distances mean something.
        seed: Of the draw of those that are counted, where there are very many.
    """
    num_points, dimension = points.shape
    if num_points < 3:
        return np.ones(num_points)
    counted = points
    if num_points > _MOST_COUNTED:
        drawn = np.random.default_rng(seed).choice(num_points, _MOST_COUNTED, replace=False)
        counted = points[np.sort(drawn)]
    count = typical_neighbours(len(counted))
    # a particle that is not counted has its k + 1st other here, which changes little at k = 50
    distance = cKDTree(counted, leafsize=32).query(points, k=[count + 1], eps=_TOLERANCE)[0][:, 0]
    middle = float(np.median(distance))
    if middle <= 0:
        return np.where(distance > 0, 0.0, 1.0)
    ratio = np.maximum(distance, 1e-6 * middle) / middle
    return np.asarray(np.exp(np.clip(-dimension * np.log(ratio), -700.0, 700.0)))
