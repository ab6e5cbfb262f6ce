"""Prepare particle images for heterogeneity: one look at a sample, then one pass over all.

The look reconstructs two half maps of a sample. They tell the contrast, how large the particle is,
and with it which disc of each image holds anything but noise.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import of_one_optics_group
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.io.atomic import atomic_path
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.noise import shell_means, smooth_power
from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.first_look import (
    Contrast,
    is_to_be_inverted,
    look_at,
    particle_diameter,
)
from icelens.tasks.hetero.image_grid import (
    MOST_POWER,
    Grid,
    centred_spectra,
    choose_grid,
    disc_window,
    grid_axes,
    like_the_others,
    windowed,
)
from icelens.tasks.hetero.image_noise import residual_noise
from icelens.tasks.hetero.prepared_images import (
    CACHE_NAME,
    FACTS_NAME,
    SHIFTS_NAME,
    ImageFacts,
    PreparedImages,
    fingerprint,
    read_facts,
    read_shifts,
    write_facts,
)

__all__ = [
    "Contrast",
    "Grid",
    "centred_spectra",
    "choose_grid",
    "disc_window",
    "particle_diameter",
    "power_of_sample",
    "prepare",
    "prepare_again",
    "prepare_imported",
    "store_images",
]

Rows = npt.NDArray[np.int64]

_AT_ONCE = 128
_MARGIN = 1.15
"""Of the particle's diameter: what is kept holds its soft edge, too."""
_LEAST_POWER = 1e-6
"""Of the others' power: an image with less holds nothing."""
_MOST_UNUSABLE = 0.5
"""Share of the images, from which on the file or the stacks are wrong."""
_LARGEST = float(np.finfo(np.float16).max)


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
    window = disc_window(grid, diameter).to(source.device)
    noise = power_of_sample(source, grid, window)
    power = tuple(tuple(each.tolist()) for each in noise)
    facts = ImageFacts(
        num_images=len(source.particles),
        box_size=grid.box_size,
        pixel_size=grid.pixel_size,
        radius=grid.radius,
        mask_diameter=diameter,
        is_inverted=is_inverted,
        independence=float(window.square().mean()),
        cached_power=power,
        noise_power=power,
        fingerprint=fingerprint(source.particles),
    )
    # those of an earlier run would belong to another cache from here on
    (folder / FACTS_NAME).unlink(missing_ok=True)
    half_set = dealt_half_sets(source.particles, seed=seed)
    sums, unusable = store_images(
        source, grid, facts, half_set, window, folder / CACHE_NAME, on_event
    )
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
    stored = np.load(folder / CACHE_NAME, mmap_mode="r", allow_pickle=False)
    cached = PreparedImages(source.particles, facts, stored, device=source.device)
    images = residual_noise(cached, halves.full)
    write_facts(folder, images.facts)
    return images, halves


def store_images(
    source: ImageSource,
    grid: Grid,
    facts: ImageFacts,
    half_set: Rows,
    window: Float[Tensor, "y x"],
    path: Path,
    on_event: OnEvent,
) -> tuple[tuple[SliceSums, SliceSums], tuple[int, ...]]:
    """Write all images as models see them, and sum them up in two halves on the way.

    Args:
        source: The images; the shifts they are centred by are kept beside the cache.
        grid: To bring them to.
        facts: What is done to them.
        half_set: `(row,)` 1 or 2; 0 is in neither sum.
        window: What is kept of each.
        path: Of the cache.
        on_event: Hears progress.

    Returns:
        Sums of the halves, and the rows that hold nothing: they are zero, and in no sum.
    """
    particles, device = source.particles, source.device
    samples = disc_samples(grid.box_size, grid.radius, device=device)
    unit = torch.tensor(facts.cached_power, device=device).sqrt()[:, samples.shell]
    sums = (SliceSums(grid.box_size, device=device), SliceSums(grid.box_size, device=device))
    shape = (len(particles), len(samples.index), 2)
    unusable: list[int] = []
    done = 0
    with atomic_path(path) as temporary:
        stored = _new_array(temporary, shape)
        for rows in of_one_optics_group(particles, np.arange(len(particles)), _AT_ONCE):
            spectrum, transfer = centred_spectra(source, rows, grid)
            spectrum = windowed(spectrum, window, is_inverted=facts.is_inverted)
            values = samples.of(spectrum) / unit[int(particles.optics_index[rows[0]])]
            is_usable = _usable(values)
            unusable += rows[~is_usable.cpu().numpy()].tolist()
            values = torch.where(is_usable[:, None], values, 0.0)
            stored[rows] = torch.view_as_real(values).cpu().numpy()
            axes = grid_axes(particles, rows, grid, device)
            weight = torch.from_numpy(particles.weight[rows]).float().to(device)
            for half, own in enumerate(sums, start=1):
                chosen = torch.from_numpy(half_set[rows] == half).to(device) & is_usable
                own.insert(spectrum[chosen], transfer[chosen], axes[chosen], weight[chosen])
            done += len(rows)
            on_event(Progress("prepare", done, len(particles), "image"))
        stored.flush()
    with atomic_path(path.with_name(SHIFTS_NAME)) as temporary, temporary.open("wb") as file:
        np.save(file, particles.shift_yx, allow_pickle=False)
    return sums, tuple(sorted(unusable))


def _usable(values: Complex[Tensor, "row sample"]) -> Bool[Tensor, " row"]:
    """Images that half precision can hold, and that hold as much as the others about."""
    power = values.abs().square().mean(1)
    largest = torch.view_as_real(values).abs().amax((1, 2))
    # comparisons with NaN are false
    return (power > _LEAST_POWER) & (power < MOST_POWER) & (largest < _LARGEST)


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.float16]]:
    """An array file of half precision to be filled; `numpy.load` reads it."""
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        offset = file.tell()
        file.truncate(offset + 2 * int(np.prod(shape)))
    return np.memmap(path, "<f2", "r+", offset=offset, shape=shape)


def power_of_sample(
    source: ImageSource, grid: Grid, window: Float[Tensor, "y x"]
) -> list[Float[Tensor, " shell"]]:
    """Mean power of windowed images in each optics group: mostly noise, and a first estimate."""
    particles = source.particles
    power = []
    for group in range(len(particles.optics)):
        rows = np.flatnonzero(particles.optics_index == group)
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), 500)).astype(int)]
        total = torch.zeros(grid.box_size, grid.box_size // 2 + 1, device=source.device)
        count = 0
        for part in _pieces(rows):
            spectrum = windowed(centred_spectra(source, part, grid)[0], window)
            usual = like_the_others(spectrum)
            total += spectrum[usual].abs().square().sum(0)
            count += int(usual.sum())
        if not len(rows):
            power.append(torch.ones(grid.box_size // 2 + 1, device=source.device))
            continue
        power.append(smooth_power(shell_means(total / max(1, count), grid.box_size)))
    return power


def _pieces(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


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
    window = disc_window(grid, facts.mask_diameter).to(source.device)
    nobody = np.zeros(len(particles), np.int64)
    store_images(source, grid, facts, nobody, window, folder / CACHE_NAME, on_event)
    stored = np.load(folder / CACHE_NAME, mmap_mode="r", allow_pickle=False)
    return PreparedImages(particles, facts, stored, centred_by=shift_yx, device=device)


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
