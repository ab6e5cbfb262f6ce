"""The two half sets of particles: their rows, and a draw where a file does not say them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent

Integers = npt.NDArray[np.int64]


def dealt_half_sets(particles: Particles, *, seed: int) -> Integers:
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


def half_set_rows(
    particles: Particles, path: Path, *, seed: int, on_event: OnEvent
) -> dict[int, Integers]:
    """Rows of the half sets 1 and 2; particles that belong to none are dealt to them at random.

    Args:
        particles: All images.
        path: Their file, for messages.
        seed: Draws the halves.
        on_event: Hears if any are drawn, or images are in both.

    Raises:
        MetadataError: If one of the sets is empty or has no weight.
    """
    num_unknown = int((particles.half_set == 0).sum())
    if num_unknown:
        on_event(
            Message(
                f"{path}: {num_unknown} of {len(particles)} images have no half set "
                f"(rlnRandomSubset); their particles are dealt at random (--seed {seed})",
                "warning",
            )
        )
    half_set = dealt_half_sets(particles, seed=seed)
    sets = {half: np.flatnonzero(half_set == half) for half in (1, 2)}
    for half, rows in sets.items():
        if not (particles.weight[rows] > 0).any():
            what = "has no weight above 0" if len(rows) else "is empty (rlnRandomSubset)"
            raise MetadataError(
                f"{path}: half set {half} {what}, expected images in both; leave out --halves or "
                "deal the particles anew"
            )
    num_shared = num_in_both_halves(particles, half_set)
    if num_shared:
        on_event(
            Message(
                f"{path}: {num_shared} images are in both half sets, so that their maps agree by "
                "the same noise; remove duplicates (join-particles --remove-duplicates)",
                "warning",
            )
        )
    return sets


def num_in_both_halves(particles: Particles, half_set: npt.NDArray[np.int64]) -> int:
    """How many images (stack and number) are in half set 1 and in half set 2."""
    names = np.asarray([str(path) for path in particles.stacks], object)
    _, stack = np.unique(names, return_inverse=True)
    image = np.stack([stack[particles.stack], particles.slice_index], axis=1)
    _, number = np.unique(image, axis=0, return_inverse=True)
    number = number.ravel()
    return len(np.intersect1d(number[half_set == 1], number[half_set == 2]))
