"""A particle of Gaussian blobs, its images at known poses, and its particle file."""

from dataclasses import dataclass, replace
from pathlib import Path

import mrcfile
import numpy as np
import torch
from torch import Tensor

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.fourier.transforms import image_rfft
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.optics.particle_ctf import particle_ctf
from icelens.core.simulate.particles import simulator_for

BOX, PIXEL = 32, 6.0


@dataclass(frozen=True)
class World:
    """Truth and images: transforms, CTFs, true poses, and starts some degrees away."""

    volume: Tensor
    particles: Particles
    images: Tensor
    noise_power: Tensor

    @property
    def spectrum(self) -> Tensor:
        return image_rfft(self.images)

    @property
    def ctf(self) -> Tensor:
        rows = np.arange(len(self.particles))
        return particle_ctf(self.particles, rows, box_size=BOX, pixel_size=PIXEL)

    @property
    def rotation(self) -> Tensor:
        return torch.from_numpy(self.particles.rotation).float()

    @property
    def shift_yx_px(self) -> Tensor:
        return torch.from_numpy(self.particles.shift_yx).float() / PIXEL

    def start(self, degrees: float, seed: int = 5) -> Tensor:
        axis = torch.randn(len(self.images), 3, generator=torch.Generator().manual_seed(seed))
        axis = torch.nn.functional.normalize(axis, dim=1)
        return rotation_from_vector(axis * np.deg2rad(degrees)) @ self.rotation


def blobs(box_size: int = BOX, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    axis = torch.arange(box_size) - box_size // 2
    volume = torch.zeros(box_size, box_size, box_size)
    for _ in range(30):
        z, y, x = (torch.randn(3, generator=generator) * box_size / 7).clamp(
            -0.3 * box_size, 0.3 * box_size
        )
        square = (axis[:, None, None] - z) ** 2 + (axis[:, None] - y) ** 2 + (axis - x) ** 2
        volume += torch.exp(-square / 4.0)
    return volume


def make_world(
    count: int, snr: float | None, *, optics: OpticsGroup | None = None, seed: int = 2
) -> World:
    generator = torch.Generator().manual_seed(seed)
    group = optics or OpticsGroup("one", PIXEL, BOX)
    particles = Particles(
        stacks=(Path("none.mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=(group,),
        optics_index=np.zeros(count, np.int64),
        rotation=random_rotations(count, generator, dtype=torch.float64).numpy(),
        shift_yx=((torch.rand(count, 2, generator=generator) - 0.5) * 12.0).double().numpy(),
        defocus_u=np.full(count, 15000.0),
        half_set=1 + np.arange(count) % 2,
    )
    volume = blobs(group.box_size)
    simulator = simulator_for(volume, particles, snr=snr)
    if snr is None:
        # enough for a likelihood, too little to be seen
        clean = simulator.images(particles, generator)
        simulator = replace(simulator, noise_std=1e-3 * float(clean.std()))
    images = simulator.images(particles, generator)
    power = simulator.noise_std**2 * group.box_size**2
    return World(volume, particles, images, torch.full((group.box_size // 2 + 1,), power))


def written(world: World, folder: Path) -> Particles:
    """Write the images as a stack; returns the particles that point to it."""
    path = folder / "images.mrcs"
    with mrcfile.new(path, overwrite=True) as stack:
        stack.set_data(world.images.numpy().astype(np.float32))
        stack.voxel_size = float(world.particles.optics[0].pixel_size)
    return replace(world.particles, stacks=(path,))
