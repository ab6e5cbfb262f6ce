"""Prepare particle images for heterogeneity: one look at a sample, then one pass over all.

The look reconstructs two half maps of a sample. They tell the contrast, how large the particle is,
and with it which disc of each image holds anything but noise.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.first_look import Contrast, is_to_be_inverted, look_at
from icelens.tasks.hetero.image_grid import MOST_POWER, Grid, choose_grid
from icelens.tasks.hetero.image_noise import residual_noise
from icelens.tasks.hetero.image_store import first_facts, store_images
from icelens.tasks.hetero.prepared_images import (
    CACHE_NAME,
    FACTS_NAME,
    PreparedImages,
    fingerprint,
    read_facts,
    read_shifts,
    stored_images,
    write_facts,
)

_MARGIN = 1.15
"""Of the particle's diameter: what is kept holds its soft edge, too."""
_MOST_UNUSABLE = 0.5
"""Share of the images, from which on the file or the stacks are wrong."""


def prepare(
    source: ImageSource,
    grid: Grid,
    *,
    mask_diameter: float | None,
    contrast: Contrast,
    folder: Path,
    seed: int,
    on_event: OnEvent,
) -> tuple[PreparedImages, HalfMaps]:
    """Bring all images to what models see, store them in `folder`, and map them all.

    Args:
        source: The images.
        grid: To bring them to.
        mask_diameter: Of the disc that is kept, in Å; None finds it.
        contrast: What to do about dark particles.
        folder: For the cache.
        seed: Deals half sets where they are not known.
        on_event: Hears what is found, and progress.

    Returns:
        The images, and the half maps and map of all of them.

    Raises:
        GeometryError: If most images hold nothing, or the disc is too small.
    """
    look = look_at(source, grid, seed=seed)
    is_inverted = is_to_be_inverted(look, contrast, on_event)
    width = grid.box_size * grid.pixel_size
    diameter = min(_MARGIN * look.diameter, width) if mask_diameter is None else mask_diameter
    facts = first_facts(source, grid, diameter, is_inverted=is_inverted)
    # those of an earlier run would belong to another cache from here on
    (folder / FACTS_NAME).unlink(missing_ok=True)
    half_set = dealt_half_sets(source.particles, seed=seed)
    sums, unusable = store_images(source, grid, facts, half_set, folder, on_event)
    if unusable:
        found = (
            f"{len(unusable)} of {len(source.particles)} images hold nothing, values that are not "
            f"finite, or are {MOST_POWER**0.5:.0f} times as strong as the others; the first is row "
            f"{unusable[0]} (from 0)"
        )
        if len(unusable) > _MOST_UNUSABLE * len(source.particles):
            (folder / CACHE_NAME).unlink(missing_ok=True)
            raise GeometryError(f"{found}; extract them again, or leave them out")
        on_event(Message(f"{found}; they count nothing", "warning"))
    halves = reconstruct_halves(*sums, pixel_size=grid.pixel_size)
    facts = replace(facts, unusable=unusable)
    cached = stored_images(folder, source.particles, facts, device=source.device)
    images = residual_noise(cached, halves.full)
    write_facts(folder, images.facts)
    return images, halves


def prepare_again(
    folder: Path, particles: Particles, *, device: torch.device | str, on_event: OnEvent
) -> PreparedImages:
    """Store images once more as the facts in `folder` say; they are those of the earlier time.

    Raises:
        InputFileError: If the facts are missing or damaged.
        MetadataError: If the particles are others.
    """
    facts = read_facts(folder)
    if facts.num_images != len(particles):
        raise MetadataError(
            f"{folder}: was made from {facts.num_images} images, but its particles are "
            f"{len(particles)} now; restore the particle file or train again"
        )
    if facts.fingerprint and facts.fingerprint != fingerprint(particles):
        raise MetadataError(
            f"{folder}: was made from other images than its particles name now (stacks, numbers, "
            "boxes or pixel sizes differ); restore the particle file or train again"
        )
    grid = Grid(facts.box_size, facts.pixel_size, facts.radius)
    shift_yx = read_shifts(folder, particles)
    centred = particles.with_poses(particles.rotation, shift_yx)
    source = ImageSource(centred, ImageReader(centred, on_event=on_event), torch.device(device))
    nobody = np.zeros(len(particles), np.int64)
    store_images(source, grid, facts, nobody, folder, on_event)
    return stored_images(folder, particles, facts, centred_by=shift_yx, device=device)


def prepare_imported(
    folder: Path,
    particles: Particles,
    *,
    box_size: int,
    device: torch.device | str,
    on_event: OnEvent,
) -> PreparedImages:
    """Prepare the images of a run that another program made.

    Args:
        folder: Of the run, which receives the cache.
        particles: Its particles.
        box_size: Of its volumes, in px.
        device: Where to compute.
        on_event: Hears what is found, and progress.
    """
    grid = choose_grid(particles, box_size, None)
    source = ImageSource(particles, ImageReader(particles, on_event=on_event), torch.device(device))
    return prepare(
        source,
        grid,
        mask_diameter=None,
        contrast="keep",
        folder=folder,
        seed=0,
        on_event=on_event,
    )[0]
