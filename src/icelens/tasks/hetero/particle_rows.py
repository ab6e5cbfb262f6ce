"""Which images show each particle: one of a single-particle set, several of a tilt series.

Images of weight 0 show nothing. A particle that has no others keeps one of them, so that each
particle has a latent, but no model may learn from it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particles import Particles

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ParticleRows:
    """Images of particles, those of each together, lowest dose first.

    Attributes:
        particle: `(particle,)` number of each, in the order of first appearance.
        first: `(particle,)` its first image in the file.
        rows: Rows of all images, particle after particle.
        start: `(particle + 1,)` where each begins in `rows`.
        half_set: `(particle,)` 1 or 2.
    """

    particle: Integers
    first: Integers
    rows: Integers
    start: Integers
    half_set: Integers

    def __len__(self) -> int:
        """Number of particles."""
        return len(self.particle)

    def of(self, places: npt.ArrayLike) -> tuple[Integers, Integers]:
        """Rows of some particles, and for each the place in `places` of the particle it shows."""
        chosen = np.atleast_1d(np.asarray(places, np.int64))
        counts = self.start[chosen + 1] - self.start[chosen]
        owner = np.repeat(np.arange(len(chosen)), counts)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.rows[self.start[chosen][owner] + within], owner


def particle_rows(particles: Particles, *, tilts: int, seed: int) -> ParticleRows:
    """Gather the images of each particle.

    Args:
        particles: All images.
        tilts: At most so many images of each, those of the lowest dose; 0 takes all. The dose
            shows in the B-factor of the envelope, else the order of the file counts.
        seed: Deals half sets where they are not known.
    """
    number, first, inverse = np.unique(particles.particle, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first, kind="stable")
    place = np.empty_like(by_appearance)
    place[by_appearance] = np.arange(len(number))
    owner = place[inverse.ravel()]
    is_empty = ~(particles.weight > 0)
    order = np.lexsort((np.arange(len(owner)), particles.b_factor, is_empty, owner))
    everyone = np.bincount(owner, minlength=len(number))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(everyone) - everyone, everyone)
    counts = np.maximum(np.bincount(owner[~is_empty], minlength=len(number)), 1)
    if tilts:
        counts = np.minimum(counts, tilts)
    order = order[rank < np.repeat(counts, everyone)]
    start = np.concatenate([[0], np.cumsum(counts)])
    half_set = dealt_half_sets(particles, seed=seed)
    return ParticleRows(
        particle=number[by_appearance],
        first=first[by_appearance],
        rows=order,
        start=start,
        half_set=half_set[first[by_appearance]],
    )
