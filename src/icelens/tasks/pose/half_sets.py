"""Which particles belong to which half set, and which of them are held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.training.seed import generator_for

Integers = npt.NDArray[np.int64]

LEAST = 2
"""Particles that a set must have at least to be split into learning and validation."""


def half_sets(particles: Particles, *, seed: int, on_event: OnEvent) -> Integers:
    """1 or 2 for each row: the file's own, or drawn by particle where it knows none.

    Raises:
        MetadataError: If the file knows it of some particles only.
    """
    known = particles.half_set > 0
    if known.all() and len(particles):
        return particles.half_set
    if known.any():
        raise MetadataError(
            f"particles: {int((~known).sum())} of {len(particles)} images have no half set "
            "(rlnRandomSubset), the others do; expected all or none, remove the column or fill it"
        )
    on_event(
        Message(
            f"no half sets in the particle files: {len(particles)} images are split at random by "
            f"particle (seed {seed})",
            "warning",
        )
    )
    return dealt_half_sets(replace(particles, particle=particle_numbers(particles)), seed=seed)


def particle_numbers(particles: Particles) -> Integers:
    """Number of the particle that each image shows; a picture that is listed twice has one."""
    known: dict[Path, int] = {}
    file = np.asarray([known.setdefault(path, len(known)) for path in particles.stacks], np.int64)
    picture = (file[particles.stack] << 32) + particles.slice_index
    _, first, place = np.unique(picture, return_index=True, return_inverse=True)
    numbers: Integers = particles.particle[first[place]]
    return numbers


def hold_out(
    particles: Particles, rows: Integers, *, share: float, most: int, seed: int
) -> tuple[Integers, Integers]:
    """Part rows into those to learn from and those held out; a particle's images stay together.

    Args:
        particles: All.
        rows: To be parted.
        share: Of the particles that is held out.
        most: Particles to hold out at most; the others are learnt from.
        seed: Draws them.

    Raises:
        MetadataError: If there are too few particles.
    """
    numbers, place = np.unique(particle_numbers(particles)[rows], return_inverse=True)
    if len(numbers) < LEAST:
        raise MetadataError(
            f"particles: a set of {len(numbers)} particle(s) cannot be split into learning and "
            f"validation, expected {LEAST} or more; give more particles or `--halves no`"
        )
    count = min(max(1, round(share * len(numbers))), most, len(numbers) - 1)
    order = torch.randperm(len(numbers), generator=generator_for(seed, "hold out")).numpy()
    is_held_out = (order < count)[place]
    return rows[~is_held_out], rows[is_held_out]
