"""A folder with small particle files and an untrained model, for tests of `pose watch`."""

from pathlib import Path

import numpy as np
import torch

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.particles import simulate_images
from icelens.core.simulate.poses import random_poses
from icelens.tasks.pose.model import describe
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network_images import ImageShape
from icelens.training.checkpoint import save_checkpoint

BOX, PIXEL = 32, 3.0
GROUP = OpticsGroup("one", PIXEL, BOX)
NETWORK = {
    "box_size": BOX,
    "encoder": "polar",
    "encoder_settings": {"channels": 8, "num_blocks": 1},
    "max_degree": 3,
    "sphere_channels": 8,
    "rotation_channels": 4,
}


def blob() -> torch.Tensor:
    """A map without symmetry."""
    axis = torch.arange(BOX) - BOX // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    places = [(0, 0, 0, 4.0), (5, 3, -2, 2.0), (-4, 5, 3, 2.5), (2, -6, 5, 1.5)]
    return sum(
        torch.exp(-((z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2) / (2 * s**2))
        for a, b, c, s in places
    )


def write_model(folder: Path) -> Path:
    """Two untrained networks, one for each half set, and the map they would refine against."""
    for half in (1, 2):
        torch.manual_seed(half)
        network = build_network(NETWORK, "C1")
        shape = ImageShape(BOX, PIXEL, 42.0)
        own = folder / f"half_{half}"
        save_checkpoint(
            own / "best.safetensors", network.state_dict(), describe(NETWORK, "C1", shape, half)
        )
        write_volume(own / "map.mrc", Volume(blob().numpy(), PIXEL))
    return folder


def write_incoming(
    path: Path, count: int = 6, *, group: OpticsGroup = GROUP, seed: int = 0, **columns: object
) -> Path:
    """A STAR file of simulated images, its stack beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stack = path.with_suffix(".mrcs")
    particles = Particles(
        stacks=(stack,),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=(group,),
        optics_index=np.zeros(count, np.int64),
        rotation=random_poses(count, np.random.default_rng(seed)),
        defocus_u=np.full(count, 12000.0),
    )
    volume = blob()
    if group.box_size != BOX:
        volume = torch.nn.functional.interpolate(volume[None, None], (group.box_size,) * 3)[0, 0]
    generator = torch.Generator().manual_seed(seed)
    images = simulate_images(volume, particles, snr=1.0, generator=generator)
    write_volume(stack, Volume(images.numpy(), group.pixel_size))
    write_particles(path, new_particle_file(particles, columns))
    return path
