"""What false picks lie on: a particle of another class, one that was found already, or nothing."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from icelens.core.data.picks import Floats, Picks
from icelens.core.metrics.matching import match_points

NOTHING = "nothing"
"""Where a false pick lies that is near no particle."""


def false_picks_on(
    truth: Mapping[str, Picks], found: Mapping[str, Picks], distances: Mapping[str, float]
) -> Counter[tuple[str, str]]:
    """Count false picks by (class picked, class of the particle they lie on).

    A false pick is one that `match_points` gives no particle of its class. It lies on the particle
    that is nearest in units of that particle's own distance, if this is at most 1; on its own class
    it is a duplicate.

    Args:
        truth: True particles by run.
        found: Picks by run; runs without a truth are left out.
        distances: Of each class, farthest that a pick may lie from its particle, in Å; particles
            and picks of other classes are left out.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for run in sorted(set(truth) & set(found)):
        particles = {name: _positions(truth[run], name) for name in distances}
        for name, distance in distances.items():
            picks = _positions(found[run], name)
            is_false = np.ones(len(picks), bool)
            is_false[match_points(particles[name], picks, distance).found] = False
            counts.update(
                (name, other) for other in _lies_on(picks[is_false], particles, distances)
            )
    return counts


def _lies_on(
    picks: Floats, particles: Mapping[str, Floats], distances: Mapping[str, float]
) -> list[str]:
    """The class of the particle each pick lies on."""
    names = [NOTHING, *particles]
    apart = np.ones((len(names), len(picks)))
    for number, (name, points) in enumerate(particles.items(), start=1):
        nearest = cKDTree(points).query(picks)[0] if len(points) else np.full(len(picks), np.inf)
        # Just above 1 is nothing, so that a pick on the limit lies on its particle.
        apart[number] = nearest / distances[name] * (1 - 1e-9)
    return [names[index] for index in np.argmin(apart, axis=0)]


def _positions(picks: Picks, name: str) -> Floats:
    return picks.select([species == name for species in picks.species]).position_zyx
