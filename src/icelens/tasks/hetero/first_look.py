"""One look at a sample of images: two half maps that tell the contrast and the particle's size."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import of_one_optics_group
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.image_grid import (
    Grid,
    centred_spectra,
    disc_window,
    grid_axes,
    like_the_others,
    windowed,
)

Contrast = Literal["auto", "keep", "invert"]

_LOOK = 2000
"""Images of the first look."""
_LOOK_BOX = 64
_AT_ONCE = 128
_CERTAIN = 3.0
"""How much denser than its surroundings, in standard errors, a particle of right contrast is."""


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


def look_at(source: ImageSource, grid: Grid, *, seed: int) -> Look:
    """Reconstruct a sample of the images coarsely and measure the particle in it."""
    particles = source.particles
    box_size = min(_LOOK_BOX, grid.box_size)
    coarse = Grid(box_size, grid.box_size * grid.pixel_size / box_size, box_size // 2 - 1)
    chosen = evenly(len(particles), _LOOK)
    half_set = dealt_half_sets(particles, seed=seed)
    sums = [SliceSums(box_size, device=source.device) for _ in range(2)]
    # takes offsets away: in a sum of slices they would be a broad hill or hollow
    window = disc_window(coarse, 2.0 * box_size * coarse.pixel_size).to(source.device)
    for half in (1, 2):
        for rows in of_one_optics_group(particles, chosen[half_set[chosen] == half], _AT_ONCE):
            spectrum, transfer = centred_spectra(source, rows, coarse)
            spectrum = windowed(spectrum, window)
            usual = like_the_others(spectrum)
            axes = grid_axes(particles, rows, coarse, source.device)
            sums[half - 1].insert(spectrum[usual], transfer[usual], axes[usual])
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


def particle_diameter(halves: HalfMaps, grid: Grid) -> float:
    """Of the ball that holds 99 % of the power on which both half maps agree, in Å."""
    axis = torch.arange(grid.box_size) - grid.box_size // 2
    squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    shell = squared.double().sqrt().round().long().flatten()
    # an offset of the images is no particle
    parts = [each.double().flatten().cpu() for each in (halves.half_1, halves.half_2)]
    is_rim = shell == grid.box_size // 2 - 1
    product = (parts[0] - parts[0][is_rim].mean()) * (parts[1] - parts[1][is_rim].mean())
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
