"""Report of simulated particles: some images with and without noise, and what was drawn."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from icelens.core.data.particles import Particles
from icelens.core.io.volumes import open_volume
from icelens.core.plots.image_rows import image_rows
from icelens.core.simulate.particles import ParticleSimulator
from icelens.jobs.run import Run

_SHOWN = 8


def report_particles(
    particles: Particles, simulators: Mapping[tuple[int, float], ParticleSimulator], run: Run
) -> None:
    """Put a table of the optics groups and a picture of the first images into the report."""
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
    simulator = simulators[group.box_size, group.pixel_size]
    images = np.asarray(open_volume(particles.stacks[0], pixel_size=group.pixel_size).array)
    clean = replace(simulator, noise_std=0.0).images(particles.take(rows), torch.Generator())
    run.report.figure(
        image_rows(
            {"written": images[particles.slice_index[rows]], "without noise": clean.numpy()},
            group.pixel_size,
        ),
        name="images",
        caption="The first images as they were written, and below them what they show.",
    )


def _span(values: np.ndarray) -> str:
    return f"{values.min():.0f} to {values.max():.0f}" if len(values) else ""
