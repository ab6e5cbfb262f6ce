"""Particles in two clearly different states, their images at known poses, and particle files."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.geometry.axis_rotations import about_y
from icelens.core.geometry.rotations import random_rotations
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.particle_tables import new_tilt_blocks
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.particles import simulator_for

BOX, PIXEL = 20, 6.0
GROUP = OpticsGroup("one", PIXEL, BOX)


def ball(x: float, y: float, z: float, width: float = 1.6, box_size: int = BOX) -> Tensor:
    """A Gaussian at a place in px of the usual box."""
    axis = (torch.arange(box_size) - box_size // 2) * (BOX / box_size)
    squared = (axis[:, None, None] - z) ** 2 + (axis[:, None] - y) ** 2 + (axis - x) ** 2
    return torch.exp(-0.5 * squared / width**2)


def body(box_size: int = BOX) -> Tensor:
    """A particle without symmetry, some 11 px wide."""
    places = ((0, 0, 0), (3, 1, 0), (-2, 3, 1), (0, -3, 2), (1, 0, -4))
    return sum((ball(*place, box_size=box_size) for place in places), torch.tensor(0.0))


def states() -> tuple[Tensor, Tensor]:
    """The same particle with a large part on either side."""
    return body() + 4.0 * ball(-4.5, -2, 0), body() + 4.0 * ball(3, 4.5, 1)


def random_particles(
    count: int, *, tilts: int = 1, optics: tuple[OpticsGroup, ...] = (GROUP,), seed: int = 0
) -> Particles:
    """Images at random poses, shifts and defoci; tilts of a particle follow each other."""
    generator = torch.Generator().manual_seed(seed)
    rows = count * tilts
    own = random_rotations(count, generator, dtype=torch.float64).numpy().repeat(tilts, 0)
    stage = np.broadcast_to(np.eye(3), (rows, 3, 3))
    if tilts > 1:
        angles = np.deg2rad(np.linspace(-60.0, 60.0, tilts))
        stage = np.tile(about_y(angles), (count, 1, 1))
    particle = np.arange(count).repeat(tilts)
    group = particle % len(optics)
    return Particles(
        stacks=tuple(Path(f"images_{number}.mrcs") for number in range(len(optics))),
        stack=group,
        slice_index=np.asarray([int((group[:row] == group[row]).sum()) for row in range(rows)]),
        optics=optics,
        optics_index=group,
        rotation=stage @ own,
        shift_yx=8.0 * (torch.rand(rows, 2, generator=generator).double().numpy() - 0.5),
        defocus_u=np.linspace(9000.0, 14000.0, rows),
        defocus_v=np.linspace(8500.0, 13500.0, rows),
        astigmatism_angle=np.linspace(0.0, 170.0, rows),
        half_set=1 + particle // max(1, len(optics)) % 2,
        particle=particle,
        stage=stage,
        b_factor=np.tile(60.0 * np.arange(tilts), count),
    )


def write_list(path: Path, particles: Particles) -> None:
    """Write particles; those of several images in the form in which M exports tilts."""
    file = new_particle_file(particles)
    if len(np.unique(particles.particle)) < len(particles):
        rows = np.arange(len(particles))
        blocks = new_tilt_blocks(particles)
        file = ParticleFile(particles, path, rows, blocks, has_pixel_origins=True)
    write_particles(path, file)


@dataclass(frozen=True)
class Made:
    """A particle file, and the truth."""

    star: Path
    particles: Particles
    state: np.ndarray
    noise_std: float


def write_images(folder: Path, particles: Particles, images: dict[int, Tensor]) -> Particles:
    """Write a stack for each optics group."""
    folder.mkdir(parents=True, exist_ok=True)
    stacks = tuple(folder / path.name for path in particles.stacks)
    for number, each in images.items():
        size = particles.optics[number].pixel_size
        write_volume(stacks[number], Volume(each.numpy().astype(np.float32), size))
    return replace(particles, stacks=stacks)


def two_states(
    folder: Path,
    count: int = 40,
    *,
    tilts: int = 1,
    snr: float = 5.0,
    seed: int = 0,
    name: str = "images",
    **changes: Any,
) -> Made:
    """Images of particles whose states take turns in pairs, and their STAR file.

    Args:
        folder: Of the files.
        count: Particles.
        tilts: Images of each.
        snr: Of the images.
        seed: Of poses and noise.
        name: Of the stack.
        changes: Of the particles that are written, not of the images.
    """
    true = random_particles(count, tilts=tilts, seed=seed)
    true = replace(true, stacks=(Path(f"{name}_0.mrcs"),))
    state = np.arange(count) // 2 % 2
    of_image = state[true.particle]
    generator = torch.Generator().manual_seed(seed + 1)
    images = torch.empty(len(true), BOX, BOX)
    std = 0.0
    for number, volume in enumerate(states()):
        rows = np.flatnonzero(of_image == number)
        simulator = simulator_for(volume, true, snr=snr)
        std = std or simulator.noise_std
        images[torch.from_numpy(rows)] = replace(simulator, noise_std=std).images(
            true.take(rows), generator
        )
    written = write_images(folder, true, {0: images})
    star = folder / "particles.star"
    write_list(star, replace(written, **changes))
    return Made(star, written, state, std)


TINY: dict[str, Any] = {
    "latent_dim": 2,
    "width": 32,
    "num_layers": 1,
    "batch_size": 8,
    "epochs": 2,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}
"""Settings of a training that learns nothing, in a second."""
