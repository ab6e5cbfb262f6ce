"""Store images as models see them: measured, centred, windowed, divided by their noise, on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.events import OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import of_one_optics_group
from icelens.core.io.atomic import atomic_path
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.noise import shell_means, smooth_power
from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.image_grid import (
    MOST_POWER,
    Grid,
    centred_spectra,
    disc_window,
    grid_axes,
    like_the_others,
    windowed,
)
from icelens.tasks.hetero.prepared_images import (
    CACHE_NAME,
    SHIFTS_NAME,
    ImageFacts,
    fingerprint,
)

Rows = npt.NDArray[np.int64]

_AT_ONCE = 128
_SAMPLE = 500
"""Images of each optics group whose power is measured."""
_LEAST_POWER = 1e-6
"""Of the others' power: an image with less holds nothing."""
_LARGEST = float(np.finfo(np.float16).max)


def first_facts(
    source: ImageSource, grid: Grid, mask_diameter: float, *, is_inverted: bool
) -> ImageFacts:
    """What is known of images before they are stored; all of their power counts as noise.

    Args:
        source: The images.
        grid: To bring them to.
        mask_diameter: Of the disc that is kept, in Å.
        is_inverted: Whether grey values are to be multiplied by -1.
    """
    window = disc_window(grid, mask_diameter).to(source.device)
    power = tuple(tuple(each.tolist()) for each in power_of_sample(source, grid, window))
    return ImageFacts(
        num_images=len(source.particles),
        box_size=grid.box_size,
        pixel_size=grid.pixel_size,
        radius=grid.radius,
        mask_diameter=mask_diameter,
        is_inverted=is_inverted,
        independence=float(window.square().mean()),
        cached_power=power,
        noise_power=power,
        fingerprint=fingerprint(source.particles),
    )


def store_images(
    source: ImageSource,
    grid: Grid,
    facts: ImageFacts,
    half_set: Rows,
    folder: Path,
    on_event: OnEvent,
) -> tuple[tuple[SliceSums, SliceSums], tuple[int, ...]]:
    """Write all images as models see them, and sum them up in two halves on the way.

    Args:
        source: The images; the shifts they are centred by are kept beside the cache.
        grid: To bring them to.
        facts: What is done to them.
        half_set: `(row,)` 1 or 2; 0 is in neither sum.
        folder: For the cache.
        on_event: Hears progress.

    Returns:
        Sums of the halves, and the rows that hold nothing: they are zero, and in no sum.
    """
    particles, device = source.particles, source.device
    window = disc_window(grid, facts.mask_diameter).to(device)
    samples = disc_samples(grid.box_size, grid.radius, device=device)
    unit = torch.tensor(facts.cached_power, device=device).sqrt()[:, samples.shell]
    sums = (SliceSums(grid.box_size, device=device), SliceSums(grid.box_size, device=device))
    shape = (len(particles), len(samples.index), 2)
    unusable: list[int] = []
    done = 0
    with atomic_path(folder / CACHE_NAME) as temporary:
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
    with atomic_path(folder / SHIFTS_NAME) as temporary, temporary.open("wb") as file:
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
        rows = rows[evenly(len(rows), _SAMPLE)]
        total = torch.zeros(grid.box_size, grid.box_size // 2 + 1, device=source.device)
        count = 0
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            spectrum = windowed(centred_spectra(source, part, grid)[0], window)
            usual = like_the_others(spectrum)
            total += spectrum[usual].abs().square().sum(0)
            count += int(usual.sum())
        if not len(rows):
            power.append(torch.ones(grid.box_size // 2 + 1, device=source.device))
            continue
        power.append(smooth_power(shell_means(total / max(1, count), grid.box_size)))
    return power
