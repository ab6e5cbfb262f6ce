"""The files of a run that found poses: images, maps, particles, and what it is."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.events import Message, OnEvent, Saved
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.fsc_table import write_fsc
from icelens.core.io.image_columns import HALF_SET
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.abinitio_settings import AbinitioConfig
from icelens.tasks.hetero.hetero_run import RunFacts, write_run_facts
from icelens.tasks.hetero.image_grid import Grid
from icelens.tasks.hetero.preparation import prepare
from icelens.tasks.hetero.prepared_images import PreparedImages


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What is written at the end, and once more when states moved the poses.

    Attributes:
        config: Settings of the run.
        folder: Of the run.
        file: Particles with the poses that were found.
        grid: Of images and maps.
        is_inverted: Whether grey values are multiplied by -1.
    """

    config: AbinitioConfig
    folder: Path
    file: ParticleFile
    grid: Grid
    is_inverted: bool

    def with_particles(self, particles: Particles) -> "FinishedRun":
        """The same run with other poses."""
        return replace(self, file=replace(self.file, particles=particles))

    def write(
        self, device: torch.device, on_event: OnEvent, *, latent_dim: int | None = 0
    ) -> tuple[PreparedImages, HalfMaps]:
        """Write images, maps and particles.

        Args:
            device: Where images are prepared.
            on_event: Hears what is written.
            latent_dim: Of the model, which says what the run is; None while it is not known.
        """
        folder, config = self.folder, self.config
        particles = self.file.particles
        source = ImageSource(particles, ImageReader(particles, on_event=on_event), device)
        images, halves = prepare(
            source,
            self.grid,
            mask_diameter=config.mask_diameter,
            contrast="invert" if self.is_inverted else "keep",
            folder=folder,
            seed=config.seed,
            on_event=on_event,
        )
        write_maps(folder, halves, self.grid.pixel_size, on_event)
        path = folder / "particles.star"
        write_particles(
            path,
            self.file,
            rotation=particles.rotation,
            shift_yx=particles.shift_yx,
            columns={HALF_SET: particles.half_set},
        )
        on_event(Saved(path, "particle list"))
        on_event(Message(f"the half maps agree to {halves.resolution:.1f} Å (FSC 0.143, no mask)"))
        if latent_dim is not None:
            self.write_facts(latent_dim)
        return images, halves

    def write_facts(self, latent_dim: int) -> None:
        """Say what the run is; from then on it can be opened."""
        config = self.config
        write_run_facts(
            self.folder,
            RunFacts(
                kind="abinitio",
                latent_dim=latent_dim,
                box_size=self.grid.box_size,
                pixel_size=self.grid.pixel_size,
                particles=tuple(str(each.resolve()) for each in config.particles),
                stack_root=None if config.stack_root is None else str(config.stack_root.resolve()),
                tomograms=None if config.tomograms is None else str(config.tomograms.resolve()),
                is_posed=True,
                skip_missing=config.skip_missing,
                tilts=config.tilts,
            ),
        )


def write_maps(folder: Path, halves: HalfMaps, pixel_size: float, on_event: OnEvent) -> None:
    """Write the map, both half maps and their correlation."""
    named: dict[str, Float[Tensor, "n n n"]] = {
        "map": halves.full,
        "half_1": halves.half_1,
        "half_2": halves.half_2,
    }
    for name, density in named.items():
        path = folder / f"{name}.mrc"
        write_volume(path, Volume(density.float().cpu().numpy(), pixel_size))
        on_event(Saved(path, "volume"))
    path = folder / "fsc.csv"
    curve = halves.fsc
    write_fsc(path, curve.spatial_frequency.tolist(), {"fsc": curve.correlation.tolist()})
    on_event(Saved(path, "table"))
