"""Change particle images one by one: flip phases, centre, invert, normalise, window."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.events import Message
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.phase_flip import flip_phases
from icelens.core.volumes.masks import sphere_mask
from icelens.jobs.run import Run
from icelens.tasks.tools.image_files import (
    ImageFile,
    Images,
    Integers,
    check_output,
    read_images,
    write_images,
)
from icelens.tasks.tools.image_jobs import ProcessImagesConfig

_WINDOW = 0.85, 0.99
"""Where the window begins and ends to fall, in half boxes."""
_MASK = 0.75
"""Diameter of the particle's disc in boxes, if none is given; RELION's."""


def process(config: ProcessImagesConfig, run: Run) -> Path:
    """Write the changed images and their table; return the file.

    Raises:
        MetadataError: If nothing is to be done, or what is asked needs a CTF or poses.
        GeometryError: If the mask leaves no background.
        InputFileError: If a file is missing, damaged, would be written over or cannot hold this.
    """
    source = read_images(
        config.particles,
        stack_root=config.stack_root,
        pixel_size=config.pixel_size,
        on_event=run.on_event,
    )
    check_output(source, config.output)
    _check_switches(config, source)
    particles = source.particles
    reader = ImageReader(particles, on_event=run.on_event)

    def make(rows: Integers) -> Images:
        images = torch.from_numpy(reader.read(rows))
        return _changed(images, particles, rows, config).numpy()

    optics = particles.optics
    if config.phase_flip:
        was = {group.is_phase_flipped for group in optics}
        optics = tuple(replace(g, is_phase_flipped=not g.is_phase_flipped) for g in optics)
        if True in was:
            run.on_event(Message(f"{config.particles}: phases were flipped; they are flipped back"))
    shift_yx = np.zeros_like(particles.shift_yx) if config.centre else None
    return write_images(
        source,
        config.output,
        make,
        optics,
        stage="process",
        stack_size=config.output_stack_size,
        shift_yx=shift_yx,
        on_event=run.on_event,
    )


def _check_switches(config: ProcessImagesConfig, source: ImageFile) -> None:
    particles = source.particles
    asked = (config.phase_flip, config.centre, config.invert, config.normalise, config.window)
    if not any(asked):
        raise MetadataError(
            f"{config.particles}: nothing to do; give --phase-flip, --centre, --invert, "
            "--normalise or --window"
        )
    if config.centre and not particles.has_poses:
        raise MetadataError(
            f"{config.particles}: no poses, expected shifts for --centre; refine them first"
        )
    if config.phase_flip:
        _check_flip(config, particles)
    radius_px = [_radius(config, float(p) * int(n)) / float(p) for n, p in _grids(particles)]
    for (side, _), radius in zip(_grids(particles), radius_px, strict=True):
        # the farthest pixel is that of the first corner
        if radius >= side // 2 * 2**0.5:
            raise GeometryError(
                f"{config.particles}: --mask-diameter is {config.mask_diameter:g} Å and fills the "
                f"images of {int(side)} px, expected some background; give a smaller one"
            )


def _check_flip(config: ProcessImagesConfig, particles: Particles) -> None:
    if config.output.suffix.lower() == ".cs":
        raise InputFileError(
            f"{config.output}: a .cs file cannot say that phases were flipped; write a .star"
        )
    used = [particles.optics[group] for group in np.unique(particles.optics_index)]
    if any(group.amplitude_contrast == 1.0 for group in used):
        raise MetadataError(
            f"{config.particles}: no defocus, expected one for --phase-flip; estimate the CTF first"
        )
    if any(group.is_premultiplied for group in used):
        raise MetadataError(
            f"{config.particles}: images were multiplied by their CTF, which has put their phases "
            "right; leave --phase-flip out"
        )


def _grids(particles: Particles) -> list[tuple[float, float]]:
    grids = np.stack([particles.box_size(), particles.pixel_size()], axis=1)
    return [(float(side), float(size)) for side, size in np.unique(grids, axis=0)]


def _radius(config: ProcessImagesConfig, extent: float) -> float:
    """Radius of the particle's disc in Å."""
    return 0.5 * (_MASK * extent if config.mask_diameter is None else config.mask_diameter)


def _changed(
    images: Float[Tensor, "row n n"],
    particles: Particles,
    rows: Integers,
    config: ProcessImagesConfig,
) -> Float[Tensor, "row n n"]:
    side, size = images.shape[-1], float(particles.pixel_size()[rows[0]])
    if config.phase_flip or config.centre:
        spectrum = image_rfft(images)
        if config.phase_flip:
            spectrum = flip_phases(spectrum, particles, rows)
        if config.centre:
            shift_px = torch.from_numpy(particles.shift_yx[rows] / size).float()
            spectrum = shift_images(spectrum, shift_px)
        images = image_from_rfft(spectrum, side)
    if config.invert:
        images = -images
    if config.normalise or config.window:
        radius = _radius(config, side * size)
        disc = sphere_mask((side, side), pixel_size=size, radius=radius, edge=0.0)
        is_background = disc == 0
        if config.normalise:
            images = normalised(images, is_background)
        if config.window:
            images = windowed(images, is_background)
    return images


def normalised(
    images: Float[Tensor, "row y x"], is_background: Bool[Tensor, "y x"]
) -> Float[Tensor, "row y x"]:
    """Images whose background has mean 0 and standard deviation 1; blank ones become 0."""
    outside = images[:, is_background].double()
    mean, std = outside.mean(dim=1), outside.std(dim=1, correction=0)
    # images that could not be read are blank: nothing can be divided by
    scale = torch.where(std > 0, 1.0 / std.clamp(min=1e-30), 0.0)
    changed = (images.double() - mean[:, None, None]) * scale[:, None, None]
    return changed.float()


def windowed(
    images: Float[Tensor, "row y x"], is_background: Bool[Tensor, "y x"]
) -> Float[Tensor, "row y x"]:
    """Images that fade to the mean of their background before they end."""
    side = images.shape[-1]
    start, end = (share * 0.5 * side for share in _WINDOW)
    window = sphere_mask((side, side), pixel_size=1.0, radius=start, edge=end - start)
    mean = images[:, is_background].double().mean(dim=1).float()[:, None, None]
    return mean + (images - mean) * window
