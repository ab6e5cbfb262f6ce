"""A run of hetero whose volumes are known: two balls, of which latents move or take away one."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from icelens.core.data.latents import LatentTable
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.latent_table import write_latents
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.hetero_run import HeteroRun, RunFacts, write_run_facts

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
    calls: list[tuple[int, int]] = field(default_factory=list)
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


def make_run(folder: Path, latent: np.ndarray, *, half_set: np.ndarray | None = None) -> Path:
    """A run folder with these latents; the particle of line i has its image in row i."""
    folder.mkdir(parents=True, exist_ok=True)
    dim = latent.shape[1]
    write_run_facts(folder, RunFacts("linear", dim, BOX, PIXEL, ("particles.star",)))
    halves = np.arange(len(latent)) % 2 + 1 if half_set is None else half_set
    if dim:
        write_latents(folder / "latents.csv", LatentTable(latent=latent, half_set=halves))
    return folder


def use_model(monkeypatch: pytest.MonkeyPatch, model: FamilyModel) -> FamilyModel:
    monkeypatch.setattr(HeteroRun, "volume_model", lambda self, device="cpu": model)
    return model


def use_images(
    monkeypatch: pytest.MonkeyPatch, density: Density, *, noise: float = 0.02
) -> list[np.ndarray]:
    """Let the images of a run show this density; returns the latents that maps are made for."""
    asked: list[np.ndarray] = []

    def maps(images, table, latent, *, num_particles):
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
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(HeteroRun, "images", lambda self, **settings: None or object())
    return asked
