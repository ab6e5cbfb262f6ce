"""Simulate images of a particle in several states and write them with everything that is known."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Saved
from icelens.core.io.csv_table import number_or_empty, write_csv
from icelens.core.io.particle_files import (
    ParticleFile,
    new_particle_file,
    new_tilt_file,
    write_particles,
)
from icelens.core.io.volumes import write_volume
from icelens.jobs.run import Run
from icelens.tasks.simulate.image_files import write_stacks
from icelens.tasks.simulate.particle_plan import STAR_NAME, in_stacks, planned_images
from icelens.tasks.simulate.particle_truth import drawn_grid
from icelens.tasks.simulate.scene import Scene, scene_of
from icelens.tasks.simulate.state_jobs import StatesConfig, num_states
from icelens.tasks.simulate.state_report import report_states
from icelens.tasks.simulate.state_truth import TrueStates, states_of
from icelens.tasks.simulate.tilt_plan import check_tilts, in_tilts

Integers = npt.NDArray[np.int64]

TABLE_NAME, MAPS_NAME = "states.csv", "maps"
CLASS, COORDINATE = "rlnClassNumber", "icelensStateCoordinate"
# What is drawn for states is drawn apart, so that poses are those of `simulate particles`.
_STATES_SEED, _TILTS_SEED = 1, 2


def write_state_images(config: StatesConfig, run: Run) -> Path:
    """Write the true maps, the stacks, the table of states and the list; return the list.

    Raises:
        IcelensError: If settings, maps, models or list cannot be used; nothing is written then.
    """
    check_tilts(config)
    truth = states_of(config, run.on_event)
    particles = _planned(config, truth, run.folder)
    state = dealt_states(particles, config)
    scene = scene_of(config, truth.densities, particles, state, run.on_event)
    _write_maps(scene, len(truth.names), run)
    write_stacks(scene, particles, state, config.seed, run)
    table = run.folder / TABLE_NAME
    write_csv(table, ("row", "particle", "state", "coordinate"), _lines(particles, state, truth))
    run.on_event(Saved(table, "table"))
    star = run.folder / STAR_NAME
    write_particles(star, _file(config, particles, state, truth))
    run.on_event(Saved(star, "particle list"))
    report_states(truth, particles, scene, state, run)
    return star


def dealt_states(particles: Particles, config: StatesConfig) -> Integers:
    """State of each image, from 0: as many particles in each as it should have, in random order.

    Raises:
        MetadataError: If there is not a share for each state, or a state has no particle.
    """
    numbers, place = np.unique(particles.particle, return_inverse=True)
    count = num_states(config)
    shares = np.array(config.populations or (1.0,) * count)
    if len(shares) != count:
        raise MetadataError(
            f"--populations has {len(shares)} shares, expected {count}, one for each state"
        )
    # the last particle of each state, rounded: sums are exact
    ends = np.rint(len(numbers) * np.cumsum(shares) / shares.sum()).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    if counts.min() < 1:
        raise MetadataError(
            f"state {int(counts.argmin()) + 1} of {count} would have no particle; ask for a larger "
            "--count or fewer --states"
        )
    rng = np.random.default_rng([config.seed, _STATES_SEED])
    dealt: Integers = rng.permutation(np.repeat(np.arange(count), counts))
    return dealt[place.ravel()]


def map_paths(folder: Path, count: int) -> list[Path]:
    """Where the true maps of states are."""
    return [folder / MAPS_NAME / f"state_{number:03d}.mrc" for number in range(1, count + 1)]


def _planned(config: StatesConfig, truth: TrueStates, folder: Path) -> Particles:
    first_map = config.maps[0] if config.maps else None
    written = [folder / TABLE_NAME, *map_paths(folder, len(truth.names))]
    particles = planned_images(
        config,
        folder,
        grid=None if config.particles_star else drawn_grid(config, first_map),
        written=written,
        given=truth.read,
    )
    if config.tilts is None:
        return particles
    rng = np.random.default_rng([config.seed, _TILTS_SEED])
    return in_stacks(in_tilts(particles, config, rng), folder, config.stack_size)


def _write_maps(scene: Scene, count: int, run: Run) -> None:
    paths = map_paths(run.folder, count)
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    for state, path in enumerate(paths):
        write_volume(path, scene.truth(state))
        run.on_event(Saved(path, "volume"))


def _lines(
    particles: Particles, state: Integers, truth: TrueStates
) -> list[tuple[int, int, int, float | str]]:
    coordinate = truth.coordinate[state].tolist()
    columns = zip(particles.particle.tolist(), state.tolist(), coordinate, strict=True)
    return [
        (row, particle, which, number_or_empty(value))
        for row, (particle, which, value) in enumerate(columns)
    ]


def _file(
    config: StatesConfig, particles: Particles, state: Integers, truth: TrueStates
) -> ParticleFile:
    columns: dict[str, npt.NDArray[np.generic]] = {CLASS: state + 1}
    if np.isfinite(truth.coordinate).all():
        columns[COORDINATE] = truth.coordinate[state]
    if config.tilts is not None:
        return new_tilt_file(particles, columns)
    return new_particle_file(particles, columns)
