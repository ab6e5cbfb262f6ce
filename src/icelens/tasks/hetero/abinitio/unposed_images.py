"""Prepare particle images whose poses are not known: coarse, centred as they are, whitened."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.particle_sums import of_one_optics_group
from icelens.core.fourier.transforms import image_from_rfft
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.first_look import Contrast
from icelens.tasks.hetero.image_grid import Grid, centred_spectra, choose_grid
from icelens.tasks.hetero.image_store import first_facts, store_images
from icelens.tasks.hetero.prepared_images import PreparedImages, stored_images, write_facts

_SAMPLE = 2000
"""Images whose mean tells the contrast."""
_AT_ONCE = 128
_WHOLE = 0.9
"""Of the box: the disc that is kept where no diameter is given."""
_CERTAIN = 3.0
_MOST_SHELLS = 20
"""Finer detail is left to the local refinement."""


def coarse_grid(particles: Particles, max_resolution: float) -> Grid:
    """The smallest box that holds detail down to a resolution, or what a search can use."""
    full = choose_grid(particles, None, None)
    width = full.box_size * full.pixel_size
    radius = min(_MOST_SHELLS, full.radius, max(6, int(width / max_resolution)))
    return choose_grid(particles, max(16, 2 * (radius + 1)), None)


def prepare_unposed(
    source: ImageSource,
    grid: Grid,
    *,
    mask_diameter: float | None,
    contrast: Contrast,
    folder: Path,
    on_event: OnEvent,
) -> PreparedImages:
    """Store images in units of their own power, which is mostly noise.

    Args:
        source: The images; rotations are those of the stage, from `without_poses`.
        grid: To bring them to.
        mask_diameter: Of the disc that is kept, in Å; without it 0.9 of the box.
        contrast: What to do about dark particles.
        folder: For the cache.
        on_event: Hears what is found, and progress.
    """
    width = grid.box_size * grid.pixel_size
    diameter = _WHOLE * width if mask_diameter is None else min(mask_diameter, width)
    is_inverted = _is_to_be_inverted(source, grid, contrast, on_event)
    facts = first_facts(source, grid, diameter, is_inverted=is_inverted)
    nobody = np.zeros(len(source.particles), np.int64)
    store_images(source, grid, facts, nobody, folder, on_event)
    write_facts(folder, facts)
    return stored_images(folder, source.particles, facts, device=source.device)


def central_contrast(source: ImageSource, grid: Grid) -> float:
    """How much brighter the mean image is in the middle than around it, in deviations of the rim.

    The mean is weighed by the CTF, whose sign at low frequency is known from the defocus.
    """
    chosen = evenly(len(source.particles), _SAMPLE)
    total: Tensor | None = None
    weight: Tensor | float = 0.0
    for rows in of_one_optics_group(source.particles, chosen, _AT_ONCE):
        spectrum, transfer = centred_spectra(source, rows, grid)
        part = (spectrum * transfer).sum(0)
        total = part if total is None else total + part
        weight = weight + transfer.square().sum(0)
    if total is None:
        raise MetadataError("there is no particle image; expected one or more")
    mean = image_from_rfft(total / (weight + 0.1 * torch.as_tensor(weight).mean()), grid.box_size)
    axis = (torch.arange(grid.box_size, device=mean.device) - grid.box_size // 2) / grid.box_size
    distance = torch.hypot(axis[:, None], axis)
    inner, rim = mean[distance < 0.15], mean[(distance > 0.4) & (distance < 0.5)]
    return float((inner.mean() - rim.mean()) / rim.std().clamp(min=1e-12))


def _is_to_be_inverted(
    source: ImageSource, grid: Grid, contrast: Contrast, on_event: OnEvent
) -> bool:
    if contrast != "auto":
        return contrast == "invert"
    found = central_contrast(source, grid)
    if abs(found) < _CERTAIN:
        on_event(
            Message(
                "the mean image does not tell whether particles are bright or dark; they are "
                "taken to be bright (--contrast invert or keep decides it)",
                "warning",
            )
        )
        return False
    if found < 0:
        on_event(
            Message(
                "the particles are dark in the mean image: grey values are multiplied by -1 "
                "(--contrast keep prevents it)",
                "warning",
            )
        )
    return found < 0
