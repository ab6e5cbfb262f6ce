"""Particle files with simulated images, and networks small enough to be trained in a test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pose_world import blobs

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.geometry.rotations import random_rotations
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.particles import simulator_for
from icelens.core.volumes.to_box import to_box

BOX, PIXEL = 32, 6.0
GROUP = OpticsGroup("one", PIXEL, BOX)

TINY: dict[str, Any] = {
    "box_size": 32,
    "max_degree": 3,
    "sphere_channels": 8,
    "rotation_channels": 2,
    "encoder_settings": {"channels": 8, "num_blocks": 0},
    "grid_order": 1,
    "batch_size": 8,
    "epochs": 1,
    "validations": 1,
    "device": "cpu",
    "threads": 1,
}
"""Settings of a network that learns nothing, in a second."""


def simulated(
    folder: Path,
    count: int,
    *,
    name: str = "particles",
    optics: Sequence[OpticsGroup] = (GROUP,),
    snr: float | None = 1.0,
    seed: int = 0,
    **changes: object,
) -> Path:
    """Write `count` images of one particle, dealt to the optics groups in turn, and their STAR."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    group = np.arange(count) % len(optics)
    places = np.asarray([int((group[:row] == group[row]).sum()) for row in range(count)])
    particles = Particles(
        stacks=tuple(folder / f"{name}_{number}.mrcs" for number in range(len(optics))),
        stack=group,
        slice_index=places,
        optics=tuple(optics),
        optics_index=group,
        rotation=random_rotations(count, generator, dtype=torch.float64).numpy(),
        shift_yx=10.0 * (torch.rand(count, 2, generator=generator).double().numpy() - 0.5),
        defocus_u=np.linspace(9000.0, 16000.0, count),
        half_set=1 + np.arange(count) // max(1, len(optics)) % 2,
    )
    particles = replace(particles, **changes)
    for number, each in enumerate(optics):
        of_group = particles.take(np.flatnonzero(group == number))
        volume = to_box(
            blobs(), pixel_size=PIXEL, box_size=each.box_size, new_pixel_size=each.pixel_size
        )
        images = simulator_for(volume, of_group, snr=snr).images(of_group, generator)
        write_volume(particles.stacks[number], Volume(images.numpy(), each.pixel_size))
    path = folder / f"{name}.star"
    write_particles(path, new_particle_file(particles))
    return path
