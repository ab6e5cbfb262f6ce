"""Small runs of hetero whose latents are known and whose model is a straight line of volumes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from particle_stars import GROUP, write_star

from icelens.core.data.latents import LatentTable
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.events import OnEvent, ignore
from icelens.core.io.latent_table import write_latents
from icelens.jobs.report import Report
from icelens.tasks.hetero import volume_models, volume_pictures
from icelens.tasks.hetero.hetero_run import RunFacts, write_run_facts
from icelens.tasks.hetero.prepared_images import PreparedImages

BOX = 12


@dataclass
class LinearVolumes:
    """Mean plus the latent's coordinates times one blob each."""

    latent_dim: int
    box_size: int = BOX
    pixel_size: float = 3.0
    has_halves: bool = False

    def volumes(
        self, latent: torch.Tensor, *, half: int = 0, box_size: int | None = None
    ) -> Iterator[torch.Tensor]:
        del half
        size = box_size or self.box_size
        axis = torch.arange(size) - size // 2
        z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
        for state in latent.cpu():
            volume = torch.exp(-(x**2 + y**2 + z**2) / 8.0)
            for number, value in enumerate(state):
                place = (x - 3) ** 2 + (y - number) ** 2 + z**2
                volume = volume + 0.3 * float(value) * torch.exp(-place / 4.0)
            yield volume

    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        raise AssertionError("no analysis encodes images")


def use_linear_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs of kind `linear` have the model above."""
    monkeypatch.setitem(
        volume_models.READERS, "linear", lambda *run: LinearVolumes(run[1].latent_dim)
    )


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep figures of a report as names: laying them out takes longer than all the rest."""

    def note(report: Report, figure: object, *, name: str, caption: str) -> None:
        del figure, caption
        report.parts.append(f"<p>figure {name}</p>")

    monkeypatch.setattr(Report, "figure", note)
    monkeypatch.setattr(volume_pictures, "volume_surfaces", lambda volumes, pixel_size: Figure())


def write_run(
    folder: Path,
    latent: np.ndarray,
    *,
    deviation: float | None = 0.1,
    optics: tuple[OpticsGroup, ...] = (GROUP, OpticsGroup("two", 4.0, 8)),
    kind: str = "linear",
    **columns: object,
) -> Path:
    """A run folder; particles lie beside it in particles.star, half sets alternate."""
    count = len(latent)
    folder.mkdir(parents=True, exist_ok=True)
    half = count // 2
    star = write_star(
        folder.parent / "particles.star",
        counts=(count - half, half) if half else (count,),
        optics=optics,
        has_images=False,
        rlnClassNumber=np.arange(count) % 3 + 1,
        rlnMicrographName=[f"mic_{number % 4}.mrc" for number in range(count)],
        **columns,
    )
    facts = RunFacts(kind, latent.shape[1], BOX, 3.0, (str(star.resolve()),))
    write_run_facts(folder, facts)
    write_latents(folder / "latents.csv", latent_table(latent, deviation))
    return folder


def latent_table(latent: np.ndarray, deviation: float | None = 0.1) -> LatentTable:
    known = np.empty((0, 0)) if deviation is None else np.full(latent.shape, deviation)
    return LatentTable(latent=latent, deviation=known, half_set=np.arange(len(latent)) % 2 + 1)


def two_states(count: int = 120, latent_dim: int = 3) -> np.ndarray:
    """Latents of two groups, the second half of the particles far from the first."""
    # not the seed of the poses, or latents would be made of the same draws
    rng = np.random.default_rng(5)
    latent = 0.3 * rng.normal(size=(count, latent_dim))
    latent[count // 2 :, 0] += 6.0
    return latent
