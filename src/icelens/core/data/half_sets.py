"""Deal particles to two half sets that share nothing, where a file does not say which is whose."""

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles


def dealt_half_sets(particles: Particles, *, seed: int) -> npt.NDArray[np.int64]:
    """1 or 2 for each image: what is known, else drawn, all images of a particle alike.

    Args:
        particles: All images.
        seed: Draws the halves; as many particles in one as in the other.
    """
    half_set = particles.half_set.copy()
    is_unknown = half_set == 0
    numbers, place = np.unique(particles.particle[is_unknown], return_inverse=True)
    drawn = 1 + np.random.default_rng(seed).permutation(len(numbers)) % 2
    half_set[is_unknown] = drawn[place]
    return half_set


def num_in_both_halves(particles: Particles, half_set: npt.NDArray[np.int64]) -> int:
    """How many images (stack and number) are in half set 1 and in half set 2."""
    names = np.asarray([str(path) for path in particles.stacks], object)
    _, stack = np.unique(names, return_inverse=True)
    image = np.stack([stack[particles.stack], particles.slice_index], axis=1)
    _, number = np.unique(image, axis=0, return_inverse=True)
    number = number.ravel()
    return len(np.intersect1d(number[half_set == 1], number[half_set == 2]))
