"""Each particle in the images of a tilt series: poses, dose and names as M writes them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.geometry.axis_rotations import about_y
from icelens.tasks.simulate.state_jobs import StatesConfig

Floats = npt.NDArray[np.float64]

B_FACTOR_OF_DOSE = 4.0
"""Å² of envelope for each e/Å² (Bharat et al., Structure 23 (2015) 1743)."""


def check_tilts(config: StatesConfig) -> None:
    """Refuse what tilt series cannot have.

    Raises:
        MetadataError: If a setting contradicts them.
    """
    if config.tilts is None:
        return
    wrong = {
        "--particles-star": config.particles_star is not None,
        "--optics-groups": config.optics_groups > 1,
        "--premultiplied": config.premultiplied,
    }
    for flag, is_wrong in wrong.items():
        if is_wrong:
            raise MetadataError(
                f"{flag} does not go with --tilts, whose images share one optics group of drawn, "
                "plain images; leave one of them out"
            )
    widest = (config.tilts // 2) * config.tilt_step
    if not widest < 90.0:
        raise MetadataError(
            f"--tilts {config.tilts} in steps of {config.tilt_step:g} degrees reach {widest:g}, "
            "expected less than 90; ask for fewer, or a smaller --tilt-step"
        )


def in_tilts(particles: Particles, config: StatesConfig, rng: np.random.Generator) -> Particles:
    """Rows of each particle one after the other, in the order in which its tilts were taken.

    The series is dose-symmetric: 0, 3, -3, 6, ... degrees about y. The envelope grows by 4 Å² and
    what is left of the amplitude falls with the cosine of the tilt, as M and Warp weight tilts.

    Args:
        particles: One image each.
        config: Says how many tilts, their step and dose.
        rng: Draws where the particle lies in each image.
    """
    count = config.tilts or 1
    rows = np.repeat(np.arange(len(particles)), count)
    angle = np.tile(dose_symmetric(count, config.tilt_step), len(particles))
    dose = np.tile(config.dose_per_tilt * np.arange(1, count + 1), len(particles))
    stage = about_y(np.deg2rad(angle))
    single = particles.take(rows)
    return replace(
        single,
        slice_index=np.arange(len(rows)),
        rotation=stage @ single.rotation,
        stage=stage,
        shift_yx=rng.uniform(-config.max_shift, config.max_shift, size=(len(rows), 2)),
        b_factor=single.b_factor + B_FACTOR_OF_DOSE * dose,
        ctf_scale=np.cos(np.deg2rad(angle)),
        particle=rows,
    )


def dose_symmetric(count: int, step: float) -> Floats:
    """Angles in degrees in the order in which they are taken: 0, 1, -1, 2, -2 ... steps."""
    number = np.arange(count)
    sign = np.where(number % 2, 1.0, -1.0)
    # + 0.0 makes the first angle 0 rather than -0
    angles: Floats = np.asarray(sign * ((number + 1) // 2) * step + 0.0, np.float64)
    return angles
