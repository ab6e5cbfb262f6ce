"""Which images of tilt series count."""

from dataclasses import replace

import numpy as np

from icelens.core.data.particles import Particles


def with_first_tilts(particles: Particles, count: int) -> Particles:
    """Give all but the first images of each particle no weight; they still get its pose.

    The first are those of the lowest dose, as their B-factor tells, then of the highest weight in
    the CTF, which falls with the tilt.

    Args:
        particles: All images.
        count: Images of each particle that count; 0 for all.
    """
    if count == 0:
        return particles
    order = np.lexsort((-particles.ctf_scale, particles.b_factor, particles.particle))
    _, first, lengths = np.unique(particles.particle[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, lengths)
    weight = particles.weight.copy()
    weight[order[rank >= count]] = 0.0
    return replace(particles, weight=weight)
