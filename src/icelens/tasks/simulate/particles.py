"""Simulate images of one particle and write them with everything that is known."""

from pathlib import Path

import numpy as np

from icelens.core.events import Saved
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import write_volume
from icelens.jobs.run import Run
from icelens.tasks.simulate.image_files import write_stacks
from icelens.tasks.simulate.particle_jobs import ParticlesConfig
from icelens.tasks.simulate.particle_plan import MAP_NAME, STAR_NAME, planned_particles
from icelens.tasks.simulate.particle_report import report_particles
from icelens.tasks.simulate.particle_truth import particle_density
from icelens.tasks.simulate.scene import scene_of


def write_particle_images(config: ParticlesConfig, run: Run) -> Path:
    """Write the truth, the stacks and their list; return the list.

    Raises:
        IcelensError: If settings, map, model or list cannot be used; nothing is written then.
    """
    particles = planned_particles(config, run.folder)
    state = np.zeros(len(particles), np.int64)
    scene = scene_of(
        config,
        [lambda pixel_size: particle_density(config, pixel_size)],
        particles,
        state,
        run.on_event,
        symmetry=config.symmetry,
    )
    path = run.folder / MAP_NAME
    write_volume(path, scene.truth(0))
    run.on_event(Saved(path, "volume"))
    write_stacks(scene, particles, state, config.seed, run)
    star = run.folder / STAR_NAME
    write_particles(star, new_particle_file(particles))
    run.on_event(Saved(star, "particle list"))
    report_particles(particles, scene, state, run)
    return star
