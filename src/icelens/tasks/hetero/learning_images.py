"""From settings to images as models see them: read, checked, prepared, noted in the run."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import write_volume
from icelens.core.optics.image_source import ImageSource
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import RunFacts, write_run_facts
from icelens.tasks.hetero.image_settings import ImagesConfig
from icelens.tasks.hetero.particle_rows import ParticleRows, particle_rows
from icelens.tasks.hetero.preparation import choose_grid, prepare
from icelens.tasks.hetero.prepared_images import PreparedImages

MEAN_NAME = "mean.mrc"
LEAST_PARTICLES = 10


@dataclass(frozen=True, eq=False)
class LearningImages:
    """What a model of hetero learns from.

    Attributes:
        file: The particles as they were read.
        images: As the model sees them.
        rows: Which images show each particle.
        halves: Half maps of all images, and their map.
    """

    file: ParticleFile
    images: PreparedImages
    rows: ParticleRows
    halves: HalfMaps


def learning_images(
    config: ImagesConfig, run: Run, *, kind: str, latent_dim: int, device: torch.device
) -> LearningImages:
    """Read and prepare the images of a run, and write down what the run is.

    Args:
        config: Which images.
        run: Its folder receives the cache, the map of all images and `hetero.json`.
        kind: Of the run.
        latent_dim: Of its latents.
        device: Where to compute.

    Raises:
        IcelensError: If files cannot be read or hold too few particles.
    """
    file = read_particles(
        config.particles,
        stack_root=config.stack_root,
        tomograms=config.tomograms,
        skip_missing=config.skip_missing,
        need_poses=True,
        on_event=run.on_event,
    )
    particles = file.particles
    rows = particle_rows(particles, tilts=config.tilts, seed=config.seed)
    least = max(LEAST_PARTICLES, 2 * latent_dim)
    if len(rows) < least:
        raise MetadataError(
            f"{file.path}: {len(rows)} particles for a latent of {latent_dim} coordinates, "
            f"expected {least} or more; choose a smaller --latent-dim or more particles"
        )
    grid = choose_grid(particles, config.box_size, config.max_resolution)
    source = ImageSource(particles, ImageReader(particles, on_event=run.on_event), device)
    images, halves = prepare(
        source,
        grid,
        mask_diameter=config.mask_diameter,
        contrast=config.contrast,
        folder=run.folder,
        seed=config.seed,
        on_event=run.on_event,
    )
    run.on_event(
        Message(
            f"{len(rows)} particles in {len(particles)} images of {grid.box_size} px at "
            f"{grid.pixel_size:.3g} Å/px, within {images.facts.mask_diameter:.0f} Å; the map of "
            f"all reaches {halves.resolution:.3g} Å"
        )
    )
    write_map(run.folder / MEAN_NAME, halves.full, grid.pixel_size, run)
    write_run_facts(
        run.folder,
        RunFacts(
            kind=kind,
            latent_dim=latent_dim,
            box_size=grid.box_size,
            pixel_size=grid.pixel_size,
            particles=tuple(str(path.resolve()) for path in config.particles),
            stack_root=None if config.stack_root is None else str(config.stack_root.resolve()),
            tomograms=None if config.tomograms is None else str(config.tomograms.resolve()),
            skip_missing=config.skip_missing,
            tilts=config.tilts,
        ),
    )
    return LearningImages(file, images, rows, halves)


def write_map(path: Path, density: Float[Tensor, "z y x"], pixel_size: float, run: Run) -> None:
    """Write a map and say so."""
    write_volume(path, Volume(density.float().cpu().numpy(), pixel_size))
    run.on_event(Saved(path, "volume"))
