"""Simulate particle images stack by stack and write them with everything that is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.events import Message, Progress, Saved
from icelens.core.fourier.slices import slice_source
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import new_volume, write_volume
from icelens.core.simulate.particles import (
    ParticleSimulator,
    particle_radius_px,
    signal_variance,
)
from icelens.jobs.run import Run
from icelens.tasks.simulate.particle_jobs import ParticlesConfig
from icelens.tasks.simulate.particle_plan import MAP_NAME, STAR_NAME, planned_particles
from icelens.tasks.simulate.particle_report import report_particles
from icelens.tasks.simulate.particle_truth import particle_density, symmetrised

# Images made between two words of progress.
_AT_ONCE = 256

Grid = tuple[int, float]
Simulators = dict[Grid, ParticleSimulator]
Integers = npt.NDArray[np.int64]


def write_particle_images(config: ParticlesConfig, run: Run) -> Path:
    """Write the truth, the stacks and their list; return the list.

    Raises:
        IcelensError: If settings, map, model or list cannot be used; nothing is written then.
    """
    particles = planned_particles(config, run.folder)
    truth, simulators = simulators_of(config, particles, run)
    path = run.folder / MAP_NAME
    write_volume(path, truth)
    run.on_event(Saved(path, "volume"))
    for number in range(len(particles.stacks)):
        _write_stack(number, particles, simulators, config.seed, run)
    star = run.folder / STAR_NAME
    write_particles(star, new_particle_file(particles))
    run.on_event(Saved(star, "particle list"))
    report_particles(particles, simulators, run)
    return star


def simulators_of(
    config: ParticlesConfig, particles: Particles, run: Run
) -> tuple[Volume, Simulators]:
    """The truth and, for each grid of the particles, a simulator; all on one grey scale.

    A pixel holds the density integrated along the beam whatever its size, in units in which the
    noise is 1: images of another sampling are the same picture, and all are projections of the
    truth, which is on the grid of the first group.
    """
    grids = list(dict.fromkeys((group.box_size, group.pixel_size) for group in particles.optics))
    density = particle_density(config, min(pixel_size for _, pixel_size in grids))
    maps = {grid: symmetrised(density.on_grid(*grid), config.symmetry) for grid in grids}
    first = grids[0]
    clean = {
        grid: ParticleSimulator(slice_source(volume) * (grid[1] / first[1]), *grid)
        for grid, volume in maps.items()
    }
    radius = _radius(config, maps[first], first, run)
    if config.snr is None:
        return Volume(maps[first].numpy(), first[1]), clean
    variance = _mean_variance(clean, particles, radius)
    scale = (config.snr / variance) ** 0.5
    noisy = {
        grid: replace(each, source=each.source * scale, noise_std=1.0, noise=config.noise)
        for grid, each in clean.items()
    }
    return Volume((maps[first] * scale).numpy(), first[1]), noisy


def _radius(config: ParticlesConfig, volume: torch.Tensor, grid: Grid, run: Run) -> float:
    """Radius of the particle in Å; warns if it does not fit into the box."""
    box_size, pixel_size = grid
    radius = particle_radius_px(volume) * pixel_size
    if config.mask_diameter is not None:
        radius = 0.5 * config.mask_diameter
    room = 0.5 * box_size * pixel_size
    run.on_event(Message(f"The particle has a diameter of {2 * radius:.0f} Å"))
    if radius + config.max_shift > 0.95 * room:
        run.on_event(
            Message(
                f"A box of {2 * room:.0f} Å is narrow for a particle of {2 * radius:.0f} Å: its "
                "images may be cut; take a larger --box-size",
                level="warning",
            )
        )
    return radius


def _mean_variance(simulators: Simulators, particles: Particles, radius: float) -> float:
    """Variance of the signal over all particles, whatever their grid; `radius` in Å."""
    total = 0.0
    for grid, simulator in simulators.items():
        rows = _rows_on(grid, particles)
        radius_px = radius / grid[1]
        total += len(rows) * signal_variance(simulator, particles.take(rows), radius_px=radius_px)
    return total / len(particles)


def _rows_on(grid: Grid, particles: Particles) -> Integers:
    is_of_grid = [(group.box_size, group.pixel_size) == grid for group in particles.optics]
    return np.flatnonzero(np.asarray(is_of_grid)[particles.optics_index])


def _write_stack(
    number: int, particles: Particles, simulators: Simulators, seed: int, run: Run
) -> None:
    """Make the images of one file; its noise depends on the seed and its number alone."""
    path = particles.stacks[number]
    rows = np.flatnonzero(particles.stack == number)
    group = particles.optics[particles.optics_index[rows[0]]]
    simulator = simulators[group.box_size, group.pixel_size]
    generator = noise_generator(seed, number)
    before = int((particles.stack < number).sum())
    shape = (len(rows), group.box_size, group.box_size)
    with new_volume(path, shape=shape, pixel_size=group.pixel_size) as images:
        for start in range(0, len(rows), _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, len(rows)))
            images[part] = simulator.images(particles.take(rows[part]), generator).numpy()
            run.on_event(Progress("simulate", before + part.stop, len(particles), "image"))
    run.on_event(Saved(path, "image stack"))


def noise_generator(seed: int, stack: int) -> torch.Generator:
    """The source of a stack's noise."""
    mixed = np.random.SeedSequence([seed, stack]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
