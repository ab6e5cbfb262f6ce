"""Prepare particle images for heterogeneity: one look at a sample, then one pass over all.

The look reconstructs two half maps of a sample. They tell the contrast, how large the particle is,
and with it which disc of each image holds anything but noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import of_one_optics_group
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.io.atomic import atomic_path
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import slice_axes
from icelens.core.refinement.noise import shell_means, smooth_power
from icelens.core.refinement.samples import disc_samples
from icelens.core.volumes.masks import soft_edge
from icelens.tasks.hetero.image_noise import residual_noise
from icelens.tasks.hetero.prepared_images import (
    CACHE_NAME,
    ImageFacts,
    PreparedImages,
    read_facts,
    write_facts,
)

Contrast = Literal["auto", "keep", "invert"]
Rows = npt.NDArray[np.int64]

_LOOK = 2000
"""Images of the first look."""
_LOOK_BOX = 64
_AT_ONCE = 128
_EDGE_PX = 4.0
_MARGIN = 1.15
"""Of the particle's diameter: what is kept holds its soft edge, too."""
_CERTAIN = 3.0
"""How much denser than its surroundings, in standard errors, a particle of right contrast is."""
_LEAST_BOX = 16


@dataclass(frozen=True)
class Grid:
    """Box and sampling on which images and volumes are compared."""

    box_size: int
    pixel_size: float
    radius: int


@dataclass(frozen=True)
class Look:
    """What a sample of the images tells.

    Attributes:
        halves: Its half maps, on a coarse grid of the same width.
        diameter: Of the particle about the centre, in Å.
        contrast: Density of the particle over its surroundings, in standard deviations.
    """

    halves: HalfMaps
    diameter: float
    contrast: float


def choose_grid(particles: Particles, box_size: int | None, max_resolution: float | None) -> Grid:
    """The grid of the first optics group, or a coarser one of the same width.

    Raises:
        MetadataError: If it would be finer than the images, or too small.
    """
    group = particles.optics[int(particles.optics_index[0])]
    smallest = int(particles.box_size().min())
    chosen = smallest - smallest % 2 if box_size is None else box_size
    if chosen > smallest or chosen < _LEAST_BOX or chosen % 2:
        raise MetadataError(
            f"--box-size {chosen} for images of {smallest} px; expected an even number from "
            f"{_LEAST_BOX} to {smallest}"
        )
    pixel_size = group.box_size * group.pixel_size / chosen
    radius = chosen // 2 - 1
    if max_resolution is not None:
        radius = min(radius, int(chosen * pixel_size / max_resolution))
    if radius < 4:
        raise MetadataError(
            f"--max-resolution {max_resolution} leaves {radius} shells of a box of "
            f"{chosen * pixel_size:.0f} Å, expected 4 or more; choose a finer resolution"
        )
    return Grid(chosen, pixel_size, radius)


def look_at(source: ImageSource, grid: Grid, *, seed: int) -> Look:
    """Reconstruct a sample of the images coarsely and measure the particle in it."""
    particles = source.particles
    box_size = min(_LOOK_BOX, grid.box_size)
    coarse = Grid(box_size, grid.box_size * grid.pixel_size / box_size, box_size // 2 - 1)
    chosen = np.unique(np.linspace(0, len(particles) - 1, min(_LOOK, len(particles))).astype(int))
    half_set = dealt_half_sets(particles, seed=seed)
    sums = [SliceSums(box_size, device=source.device) for _ in range(2)]
    for half in (1, 2):
        for rows in of_one_optics_group(particles, chosen[half_set[chosen] == half], _AT_ONCE):
            spectrum, transfer = centred_spectra(source, rows, coarse)
            sums[half - 1].insert(spectrum, transfer, _axes(particles, rows, coarse, source.device))
    halves = reconstruct_halves(*sums, pixel_size=coarse.pixel_size)
    return Look(halves, particle_diameter(halves, coarse), _contrast(halves.full))


def is_to_be_inverted(look: Look, contrast: Contrast, on_event: OnEvent) -> bool:
    """Whether grey values must be multiplied by -1 to make protein bright; said if it was found."""
    is_dark = look.contrast < -_CERTAIN
    if contrast != "auto":
        if (contrast == "keep") == is_dark and abs(look.contrast) > _CERTAIN:
            on_event(
                Message(
                    f"a map of these images is {'darker' if is_dark else 'brighter'} where the "
                    f"particle is, but --contrast {contrast} was asked for",
                    "warning",
                )
            )
        return contrast == "invert"
    if is_dark:
        on_event(
            Message(
                "the particle is dark in these images: grey values are multiplied by -1 "
                "(--contrast keep prevents it)",
                "warning",
            )
        )
    return is_dark


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
    )
    half_set = dealt_half_sets(source.particles, seed=seed)
    sums = store_images(source, grid, facts, half_set, window, folder / CACHE_NAME, on_event)
    halves = reconstruct_halves(*sums, pixel_size=grid.pixel_size)
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
) -> tuple[SliceSums, SliceSums]:
    """Write all images as models see them, and sum them up in two halves on the way."""
    particles, device = source.particles, source.device
    samples = disc_samples(grid.box_size, grid.radius, device=device)
    unit = torch.tensor(facts.cached_power, device=device).sqrt()[:, samples.shell]
    sums = (SliceSums(grid.box_size, device=device), SliceSums(grid.box_size, device=device))
    sign = -1.0 if facts.is_inverted else 1.0
    shape = (len(particles), len(samples.index), 2)
    done = 0
    with atomic_path(path) as temporary:
        stored = _new_array(temporary, shape)
        for rows in of_one_optics_group(particles, np.arange(len(particles)), _AT_ONCE):
            spectrum, transfer = centred_spectra(source, rows, grid)
            images = image_from_rfft(spectrum, grid.box_size)
            spectrum = image_rfft(images * (sign * window))
            values = samples.of(spectrum) / unit[int(particles.optics_index[rows[0]])]
            stored[rows] = torch.view_as_real(values).cpu().numpy()
            axes = _axes(particles, rows, grid, device)
            weight = torch.from_numpy(particles.weight[rows]).float().to(device)
            for half, own in enumerate(sums, start=1):
                chosen = torch.from_numpy(half_set[rows] == half).to(device)
                own.insert(spectrum[chosen], transfer[chosen], axes[chosen], weight[chosen])
            done += len(rows)
            on_event(Progress("prepare", done, len(particles), "image"))
        stored.flush()
    return sums


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.float16]]:
    """An array file of half precision to be filled; `numpy.load` reads it."""
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        offset = file.tell()
        file.truncate(offset + 2 * int(np.prod(shape)))
    return np.memmap(path, "<f2", "r+", offset=offset, shape=shape)


def disc_window(grid: Grid, diameter: float) -> Float[Tensor, "y x"]:
    """1 within a disc about the centre pixel, falling to 0 beyond it over some pixels."""
    axis = torch.arange(grid.box_size, dtype=torch.float32) - grid.box_size // 2
    distance = torch.hypot(axis[:, None], axis) - 0.5 * diameter / grid.pixel_size
    return soft_edge(distance, _EDGE_PX)


def centred_spectra(
    source: ImageSource, rows: Rows, grid: Grid
) -> tuple[Complex[Tensor, "row n n_half"], Float[Tensor, "row n n_half"]]:
    """Centred transforms and CTFs of rows of one optics group, cut to the grid."""
    spectrum, transfer = source.read(rows)
    particles = source.particles
    own = float(particles.pixel_size()[rows[0]])
    shift = torch.from_numpy(particles.shift_yx[rows] / own).float().to(source.device)
    spectrum = shift_images(spectrum, shift)
    return fourier_crop(spectrum, grid.box_size), fourier_crop(transfer, grid.box_size, power=0)


def fourier_crop(spectrum: Tensor, box_size: int, *, power: int = 2) -> Tensor:
    """Low frequencies of half transforms `(row, n, n_half)` of images; grey values are kept.

    Args:
        spectrum: Half transforms about the centre.
        box_size: Even side of the smaller images.
        power: 2 for transforms, whose sums have fewer pixels; 0 for factors on them.
    """
    old = spectrum.shape[-2]
    if old == box_size:
        return spectrum
    half = box_size // 2
    rows = torch.cat([torch.arange(half), torch.arange(old - half, old)]).to(spectrum.device)
    cut = spectrum.index_select(-2, rows)[..., : half + 1]
    return cut * (box_size / old) ** power


def _axes(
    particles: Particles, rows: Rows, grid: Grid, device: torch.device
) -> Float[Tensor, "row 3 3"]:
    axes = slice_axes(particles, rows, box_size=grid.box_size, pixel_size=grid.pixel_size)
    return torch.from_numpy(axes).to(device, torch.float32)


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
        for part in _pieces(rows):
            images = image_from_rfft(centred_spectra(source, part, grid)[0], grid.box_size)
            total += image_rfft(images * window).abs().square().sum(0)
        if not len(rows):
            power.append(torch.ones(grid.box_size // 2 + 1, device=source.device))
            continue
        power.append(smooth_power(shell_means(total / len(rows), grid.box_size)))
    return power


def _pieces(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


def particle_diameter(halves: HalfMaps, grid: Grid) -> float:
    """Of the ball that holds 99 % of the power on which both half maps agree, in Å."""
    axis = torch.arange(grid.box_size) - grid.box_size // 2
    squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    shell = squared.double().sqrt().round().long().flatten()
    product = (halves.half_1 * halves.half_2).double().flatten().cpu()
    power = torch.bincount(shell, product)[: grid.box_size // 2].cumsum(0)
    reached = int((power < 0.99 * power.max()).sum())
    return 2.0 * max(reached, 2) * grid.pixel_size


def _contrast(density: Float[Tensor, "n n n"]) -> float:
    """Mean of the inner third of the box over that of its shell, in deviations of the shell."""
    size = density.shape[-1]
    axis = torch.arange(size, device=density.device) - size // 2
    distance = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt() / size
    inner = density[distance < 0.17]
    outer = density[(distance > 0.42) & (distance < 0.5)]
    return float((inner.mean() - outer.mean()) / outer.std().clamp(min=1e-12))


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
    grid = Grid(facts.box_size, facts.pixel_size, facts.radius)
    source = ImageSource(particles, ImageReader(particles, on_event=on_event), torch.device(device))
    window = disc_window(grid, facts.mask_diameter).to(source.device)
    nobody = np.zeros(len(particles), np.int64)
    store_images(source, grid, facts, nobody, window, folder / CACHE_NAME, on_event)
    stored = np.load(folder / CACHE_NAME, mmap_mode="r", allow_pickle=False)
    return PreparedImages(particles, facts, stored, device=device)
