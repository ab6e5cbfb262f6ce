"""A run of hetero whose volumes are known: two balls, of which latents move or take away one."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from icelens.core.data.latents import LatentTable
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.events import OnEvent, ignore
from icelens.core.fourier.slices import slice_source
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.latent_table import write_latents
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.simulate.particles import ParticleSimulator
from icelens.core.simulate.poses import random_poses
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.hetero_run import HeteroRun, RunFacts, write_run_facts
from icelens.tasks.hetero.prepared_images import PreparedImages

BOX = 24
PIXEL = 4.0
Density = Callable[[torch.Tensor], torch.Tensor]


def ball(x: float, y: float = 0.0, width: float = 2.5) -> torch.Tensor:
    axis = torch.arange(BOX, dtype=torch.float32) - BOX // 2
    z_part, y_part = axis[:, None, None] ** 2, (axis[:, None] - y) ** 2
    return torch.exp(-0.5 * (z_part + y_part + (axis - x) ** 2) / width**2)


def occupied(latent: torch.Tensor) -> torch.Tensor:
    """A ball that stays, and one that is there as much as the first coordinate says."""
    return ball(-4) + latent[0] * ball(5)


def moving(latent: torch.Tensor) -> torch.Tensor:
    """A ball that stays, and one that moves along y by the first coordinate."""
    return ball(-4) + ball(5, 3.0 * float(latent[0]))


@dataclass
class FamilyModel:
    """Volumes by a formula; halves differ by noise of a given strength."""

    density: Density
    latent_dim: int
    has_halves: bool = False
    noise: float = 0.05
    box_size: int = BOX
    pixel_size: float = PIXEL
    num_made: int = 0
    stop_after: int | None = None

    def volumes(
        self, latent: torch.Tensor, *, half: int = 0, box_size: int | None = None
    ) -> Iterator[torch.Tensor]:
        for state in latent:
            if self.stop_after is not None and self.num_made >= self.stop_after:
                raise KeyboardInterrupt
            self.num_made += 1
            volume = self.density(state)
            if half:
                generator = torch.Generator().manual_seed(half)
                volume = volume + self.noise * torch.randn(volume.shape, generator=generator)
            side = box_size or BOX
            yield to_box(volume, pixel_size=PIXEL, box_size=side, new_pixel_size=PIXEL * BOX / side)

    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        """The true latents, which the simulation hid in the phase shifts of a phase plate."""
        del on_event
        particles = images.particles
        latent = particles.phase_shift[:, None] * np.ones(self.latent_dim)
        return LatentTable(
            latent=latent, particle=particles.particle, deviation=np.full(latent.shape, 0.1)
        )


def make_run(folder: Path, latent: np.ndarray, *, half_set: np.ndarray | None = None) -> Path:
    """A run folder with these latents; the particle of line i has its image in row i."""
    folder.mkdir(parents=True, exist_ok=True)
    dim = latent.shape[1]
    write_run_facts(folder, RunFacts("linear", dim, BOX, PIXEL, ("particles.star",)))
    halves = np.arange(len(latent)) % 2 + 1 if half_set is None else half_set
    if dim:
        write_latents(folder / "latents.csv", LatentTable(latent=latent, half_set=halves))
    return folder


def write_images(
    path: Path, latent: np.ndarray, density: Density, *, noise_std: float = 4.0, seed: int = 0
) -> Path:
    """A STAR file with an image of each latent `(particle, 1)`, CTF and noise included."""
    rng = np.random.default_rng(seed)
    count = len(latent)
    particles = Particles(
        stacks=(path.with_suffix(".mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=(OpticsGroup("one", PIXEL, BOX),),
        rotation=random_poses(count, rng),
        shift_yx=rng.uniform(-4, 4, (count, 2)),
        defocus_u=rng.uniform(1e4, 2e4, count),
        phase_shift=latent[:, 0],
        half_set=np.arange(count) % 2 + 1,
    )
    generator = torch.Generator().manual_seed(seed)
    images = []
    for row, state in enumerate(latent):
        source = slice_source(density(torch.as_tensor(state, dtype=torch.float32)))
        simulator = ParticleSimulator(source, BOX, PIXEL, noise_std)
        images.append(simulator.images(particles.take([row]), generator))
    write_volume(path.with_suffix(".mrcs"), Volume(torch.cat(images).numpy(), PIXEL))
    write_particles(path, new_particle_file(particles))
    return path


def use_model(monkeypatch: pytest.MonkeyPatch, model: FamilyModel) -> FamilyModel:
    monkeypatch.setattr(HeteroRun, "volume_model", lambda self, device="cpu": model)
    return model


def use_images(
    monkeypatch: pytest.MonkeyPatch, density: Density, *, noise: float = 0.02
) -> list[np.ndarray]:
    """Let the images of a run show this density; returns the latents that maps are made for."""
    asked: list[np.ndarray] = []

    def maps(images, table, latent, *, num_particles, tilts):
        asked.append(np.asarray(latent))
        volume = density(torch.as_tensor(latent, dtype=torch.float32))
        generator = torch.Generator().manual_seed(9)
        half_1, half_2 = (
            volume + noise * torch.randn(volume.shape, generator=generator) for _ in range(2)
        )
        curve = fourier_shell_correlation(half_1, half_2, pixel_size=PIXEL)
        return HalfMaps(half_1, half_2, 0.5 * (half_1 + half_2), curve, resolution_at(curve, 0.143))

    module = ModuleType("icelens.tasks.hetero.kernel_maps")
    module.kernel_half_maps = maps
    module.LEAST_PARTICLES = 1
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(HeteroRun, "images", lambda self, **settings: None or object())
    return asked
