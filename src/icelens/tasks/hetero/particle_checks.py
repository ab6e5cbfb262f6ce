"""What no model of hetero can learn from, refused before images are read."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.half_sets import dealt_half_sets, num_in_both_halves
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent

_MANY = 0.5
"""Share of images whose particle lies outside, from which on the shifts themselves are wrong."""


def shows_something(particles: Particles) -> npt.NDArray[np.bool_]:
    """`(row,)` whether an image counts and its CTF passes anything."""
    return np.asarray((particles.weight > 0) & (particles.ctf_scale > 0), bool)


def check_half_sets(path: Path, particles: Particles, *, seed: int, on_event: OnEvent) -> None:
    """Refuse particles of one half set, by whose maps neither size nor noise could be told.

    Args:
        path: Their file, for messages.
        particles: All images.
        seed: Deals half sets where they are not known.
        on_event: Hears of images that are in both.

    Raises:
        MetadataError: If no image of a half set shows anything.
    """
    half_set = dealt_half_sets(particles, seed=seed)
    is_shown = shows_something(particles)
    for half in (1, 2):
        is_own = half_set == half
        if (is_own & is_shown).any():
            continue
        found = "shows nothing (weight or rlnCtfScalefactor 0)" if is_own.any() else "is empty"
        raise MetadataError(
            f"{path}: half set {half} {found}, expected images in both; correct or remove "
            "rlnRandomSubset, and particles are dealt to both at random"
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


def check_shifts(path: Path, particles: Particles, *, on_event: OnEvent) -> None:
    """Refuse shifts that leave most particles outside of their images, and tell of some.

    Raises:
        MetadataError: If more than half of the images have such.
    """
    half_box = 0.5 * particles.box_size() * particles.pixel_size()
    is_outside = np.abs(particles.shift_yx).max(1) > half_box
    if not is_outside.any():
        return
    row = int(np.flatnonzero(is_outside)[0])
    found = (
        f"{path}: {int(is_outside.sum())} of {len(particles)} shifts lead out of their images, "
        f"such as {np.abs(particles.shift_yx[row]).max():.0f} Å in row {row} (from 0) of a box of "
        f"{2 * half_box[row]:.0f} Å"
    )
    if is_outside.mean() > _MANY:
        raise MetadataError(
            f"{found}; correct the origins: are they of other pixels, or of the micrograph?"
        )
    on_event(Message(f"{found}; those images hold no particle", "warning"))
