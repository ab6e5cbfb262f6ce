"""Which particles are simulated: their poses, optics, half sets, and the files that hold them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.io.image_columns import SMALLEST_DEFOCUS
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles
from icelens.core.simulate.poses import random_half_sets, random_poses
from icelens.tasks.simulate.image_settings import DEFAULT_COUNT, ImageSettings
from icelens.tasks.simulate.particle_jobs import ParticlesConfig
from icelens.tasks.simulate.particle_truth import Grid, drawn_grid

STAR_NAME, MAP_NAME = "particles.star", "map.mrc"
OTHER_VOLTAGE = 200.0

Integers = npt.NDArray[np.int64]


def planned_particles(config: ParticlesConfig, folder: Path) -> Particles:
    """All that is known before an image is made; random, or taken over from a STAR file.

    Raises:
        MetadataError: If settings contradict each other.
        InputFileError: If the STAR file or the map cannot be read.
    """
    grid = None if config.particles_star else drawn_grid(config, config.map)
    given = [] if config.map is None else [config.map]
    return planned_images(config, folder, grid=grid, written=[folder / MAP_NAME], given=given)


def planned_images(
    settings: ImageSettings,
    folder: Path,
    *,
    grid: Grid | None,
    written: Sequence[Path],
    given: Sequence[Path],
) -> Particles:
    """All that is known of images before one is made, whatever they show.

    Args:
        settings: Of the images.
        folder: Of their stacks.
        grid: Side in px and pixel size in Å; None if a STAR file says them.
        written: Files besides stacks and list.
        given: Files besides the STAR file's that are read.

    Raises:
        MetadataError: If settings contradict each other.
        InputFileError: If the STAR file cannot be read, or something would be written over itself.
    """
    low, high = settings.defocus_range
    if low > high:
        raise MetadataError(f"--defocus-range is {low:g},{high:g}; expected {high:g},{low:g}")
    if 0 < max(abs(low), abs(high)) < SMALLEST_DEFOCUS:
        raise MetadataError(
            f"--defocus-range is {low:g},{high:g}, expected Å such as 5000,25000; multiply by "
            "10000 if it is µm"
        )
    rng = np.random.default_rng(settings.seed)
    star = settings.particles_star
    particles = _taken(settings, star, rng) if grid is None else _drawn(settings, grid, rng)
    planned = in_stacks(particles, folder, settings.stack_size)
    read = [] if star is None else [star, *particles.stacks]
    refuse_overwriting([folder / STAR_NAME, *written, *planned.stacks], [*given, *read])
    return planned


def in_stacks(particles: Particles, folder: Path, stack_size: int) -> Particles:
    """The same rows in new files of at most `stack_size` images, each of one optics group."""
    stack = np.zeros(len(particles), np.int64)
    place = np.zeros(len(particles), np.int64)
    num_stacks = 0
    for group in range(len(particles.optics)):
        rows = np.flatnonzero(particles.optics_index == group)
        stack[rows] = num_stacks + np.arange(len(rows)) // stack_size
        place[rows] = np.arange(len(rows)) % stack_size
        num_stacks += -(-len(rows) // stack_size)
    stacks = tuple(folder / f"particles_{number:03d}.mrcs" for number in range(1, num_stacks + 1))
    return replace(particles, stacks=stacks, stack=stack, slice_index=place)


def _drawn(config: ImageSettings, grid: Grid, rng: np.random.Generator) -> Particles:
    count = config.count or DEFAULT_COUNT
    defocus = rng.uniform(*config.defocus_range, size=count)
    difference = np.abs(rng.normal(0.0, config.astigmatism, size=count))
    return Particles(
        stacks=(Path("particles.mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=_optics(config, grid),
        optics_index=np.arange(count) % config.optics_groups,
        rotation=_rotations(config, count, rng),
        shift_yx=rng.uniform(-config.max_shift, config.max_shift, size=(count, 2)),
        defocus_u=defocus + 0.5 * difference,
        defocus_v=defocus - 0.5 * difference,
        astigmatism_angle=rng.uniform(0.0, 180.0, size=count),
        phase_shift=np.full(count, config.phase_shift),
        b_factor=np.full(count, config.b_factor),
        half_set=random_half_sets(count, rng),
    )


def _optics(config: ImageSettings, grid: Grid) -> tuple[OpticsGroup, ...]:
    box_size, pixel_size = grid
    return tuple(
        OpticsGroup(
            name=f"opticsGroup{number + 1}",
            pixel_size=round(pixel_size * (1.0 + 0.1 * number), 6),
            box_size=box_size,
            voltage=OTHER_VOLTAGE if number % 2 else config.voltage,
            spherical_aberration=config.spherical_aberration,
            amplitude_contrast=config.amplitude_contrast,
            is_premultiplied=config.premultiplied,
        )
        for number in range(config.optics_groups)
    )


def _taken(config: ImageSettings, star: Path | None, rng: np.random.Generator) -> Particles:
    """Rows of another file; the images' grid is theirs unless the settings name another."""
    assert star is not None, "without a grid a STAR file says it"
    particles = read_particles(star, stack_root=config.stack_root).particles
    if config.count is not None and config.count > len(particles):
        raise MetadataError(
            f"{star}: holds {len(particles)} particles, expected --count "
            f"{config.count} or more; ask for fewer"
        )
    particles = particles.take(np.arange(config.count or len(particles)))
    if not particles.has_poses:
        count = len(particles)
        shift_yx = rng.uniform(-config.max_shift, config.max_shift, size=(count, 2))
        particles = particles.with_poses(_rotations(config, count, rng), shift_yx)
    if not particles.half_set.any():
        particles = replace(particles, half_set=random_half_sets(len(particles), rng))
    changes: dict[str, float | int] = {}
    if config.box_size is not None:
        changes["box_size"] = config.box_size
    if config.pixel_size is not None:
        changes["pixel_size"] = config.pixel_size
    groups = tuple(
        replace(group, is_premultiplied=config.premultiplied, **changes)  # type: ignore[arg-type]
        for group in particles.optics
    )
    return replace(particles, optics=groups)


def _rotations(
    config: ImageSettings, count: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    return random_poses(
        count, rng, num_views=config.preferred_views, view_spread=config.view_spread
    )
