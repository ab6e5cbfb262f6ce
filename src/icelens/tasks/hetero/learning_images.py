"""From settings to images as models see them: read, checked, prepared, noted in the run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.samples import disc_samples
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import RunFacts, write_run_facts
from icelens.tasks.hetero.image_grid import Grid, choose_grid
from icelens.tasks.hetero.image_settings import ImagesConfig
from icelens.tasks.hetero.particle_checks import check_half_sets, check_shifts, shows_something
from icelens.tasks.hetero.particle_rows import ParticleRows, particle_rows
from icelens.tasks.hetero.preparation import prepare
from icelens.tasks.hetero.prepared_images import (
    PreparedImages,
    fingerprint,
    open_cache,
    read_facts,
)

MEAN_NAME = "mean.mrc"
MAP_NAMES = ("half_1.mrc", "half_2.mrc", MEAN_NAME)
LEAST_PARTICLES = 4
"""Two in each half set."""


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
        run: Its folder receives the cache, the half maps and the map of all images, and
            `hetero.json`. A resumed run takes over what is there.
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
    _check(file.path, rows, particles, latent_dim)
    if run.resume:
        _refuse_others(file, run)
    check_half_sets(file.path, particles, seed=config.seed, on_event=run.on_event)
    check_shifts(file.path, particles, on_event=run.on_event)
    grid = choose_grid(particles, config.box_size, config.max_resolution, path=file.path)
    kept = _kept(config, run, particles, grid, device) if run.resume else None
    images, halves = kept or _prepared(config, run, file, grid, device)
    rows = particle_rows(images.particles, tilts=config.tilts, seed=config.seed)
    _check(file.path, rows, images.particles, latent_dim)
    run.on_event(
        Message(
            f"{len(rows)} particles in {len(particles)} images of {grid.box_size} px at "
            f"{grid.pixel_size:.3g} Å/px, within {images.facts.mask_diameter:.0f} Å; the map of "
            f"all reaches {halves.resolution:.3g} Å"
        )
    )
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


def _check(path: Path, rows: ParticleRows, particles: Particles, latent_dim: int) -> None:
    """Refuse fewer particles than a latent needs.

    Raises:
        MetadataError: If there are too few that any image shows.
    """
    is_shown = shows_something(particles)[rows.rows]
    count = int(np.logical_or.reduceat(is_shown, rows.start[:-1]).sum()) if len(rows) else 0
    least = max(LEAST_PARTICLES, 2 * latent_dim)
    if count < least:
        raise MetadataError(
            f"{path}: {count} particles that show anything for a latent of {latent_dim} "
            f"coordinates, expected {least} or more; lower --latent-dim or give more particles"
        )


def _refuse_others(file: ParticleFile, run: Run) -> None:
    """Leave a run alone that is resumed with other particles than it was started with.

    Raises:
        MetadataError: If so.
    """
    try:
        facts = read_facts(run.folder)
    except InputFileError:
        return  # none, or damaged: images are prepared anew
    if facts.fingerprint != fingerprint(file.particles):
        raise MetadataError(
            f"{file.path}: {run.folder} was started with other images; resume it with the same "
            "--particles, or choose another --output"
        )


def _prepared(
    config: ImagesConfig, run: Run, file: ParticleFile, grid: Grid, device: torch.device
) -> tuple[PreparedImages, HalfMaps]:
    """Images and maps made anew, and written to the run's folder."""
    particles = file.particles
    source = ImageSource(particles, ImageReader(particles, on_event=run.on_event), device)
    try:
        images, halves = prepare(
            source,
            grid,
            mask_diameter=config.mask_diameter,
            contrast=config.contrast,
            folder=run.folder,
            seed=config.seed,
            on_event=run.on_event,
        )
    except GeometryError as error:
        raise MetadataError(f"{file.path}: {error}") from error
    for name, density in zip(MAP_NAMES, (halves.half_1, halves.half_2, halves.full), strict=True):
        write_map(run.folder / name, density, grid.pixel_size, run)
    return images, halves


def _kept(
    config: ImagesConfig, run: Run, particles: Particles, grid: Grid, device: torch.device
) -> tuple[PreparedImages, HalfMaps] | None:
    """Images and maps that an earlier start of the run made; None where others are asked for."""
    try:
        images = open_cache(run.folder, particles, device=device)
        maps = [open_volume(run.folder / name).array for name in MAP_NAMES]
    except InputFileError:
        return None
    if images is None or any(each.shape != (grid.box_size,) * 3 for each in maps):
        return None
    facts = images.facts
    is_as_asked = (
        (facts.box_size, facts.pixel_size, images.samples.radius)
        == (grid.box_size, grid.pixel_size, disc_samples(grid.box_size, grid.radius).radius)
        and config.mask_diameter in (None, facts.mask_diameter)
        and config.contrast in ("auto", "invert" if facts.is_inverted else "keep")
    )
    if not is_as_asked:
        return None
    half_1, half_2, full = (torch.from_numpy(np.array(each)).float().to(device) for each in maps)
    fsc = fourier_shell_correlation(half_1, half_2, pixel_size=grid.pixel_size)
    run.on_event(Message("images were prepared before and are taken over"))
    return images, HalfMaps(half_1, half_2, full, fsc, resolution_at(fsc, 0.143))


def write_map(path: Path, density: Float[Tensor, "z y x"], pixel_size: float, run: Run) -> None:
    """Write a map and say so."""
    write_volume(path, Volume(density.float().cpu().numpy(), pixel_size))
    run.on_event(Saved(path, "volume"))
