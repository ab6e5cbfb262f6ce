"""Report of simulated particles: some images with and without noise, and what was drawn."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.io.volumes import open_volume
from icelens.core.plots.image_rows import image_rows
from icelens.jobs.run import Run
from icelens.tasks.simulate.scene import Scene

_SHOWN = 8


def report_particles(
    particles: Particles, scene: Scene, state: npt.NDArray[np.int64], run: Run
) -> None:
    """Put a table of the optics groups and a picture of the first images into the report.

    Args:
        particles: All images, written already.
        scene: What they show.
        state: `(row,)` of each image.
        run: Whose report it is.
    """
    run.report.section("Particles")
    run.report.table(
        ["optics group", "images", "box (px)", "pixel size (Å)", "voltage (kV)", "defocus (Å)"],
        [
            [
                group.name,
                int((particles.optics_index == number).sum()),
                group.box_size,
                group.pixel_size,
                group.voltage,
                _span(particles.defocus_u[particles.optics_index == number]),
            ]
            for number, group in enumerate(particles.optics)
        ],
    )
    rows = np.flatnonzero(particles.stack == 0)[:_SHOWN]
    group = particles.optics[particles.optics_index[rows[0]]]
    images = np.asarray(open_volume(particles.stacks[0], pixel_size=group.pixel_size).array)
    clean = np.stack([_clean(scene, particles, int(state[row]), row) for row in rows])
    run.report.figure(
        image_rows(
            {"written": images[particles.slice_index[rows]], "without noise": clean},
            group.pixel_size,
        ),
        name="images",
        caption="The first images as they were written, and below them what they show.",
    )


def _clean(scene: Scene, particles: Particles, state: int, row: int) -> np.ndarray:
    group = particles.optics[particles.optics_index[row]]
    simulator = scene.simulator(state, (group.box_size, group.pixel_size))
    without_noise = replace(simulator, noise_std=0.0)
    return without_noise.images(particles.take([row]), torch.Generator())[0].numpy()


def _span(values: np.ndarray) -> str:
    return f"{values.min():.0f} to {values.max():.0f}" if len(values) else ""
