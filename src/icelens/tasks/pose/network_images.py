"""What a network sees of a particle image: raw and phase-flipped, at its own sampling and grey."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.resample import centred_resampling, resample_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf
from icelens.tasks.pose.network.encoder import NUM_CHANNELS

_AT_ONCE = 64
_EDGE_PX = 3.0
_LEAST_NOISE = 0.1
"""Of the whole image's spread; with less outside, the image was masked before."""
_ROUNDING = 1e-5
"""Of the largest value."""


class ImageSupply(Protocol):
    """Where images come from: stacks (`ImageReader`) or a simulation."""

    bad_rows: set[int]

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Images of rows that share one box size, `(row, y, x)`."""
        ...


@dataclass(frozen=True)
class ImageShape:
    """How images are laid before a network.

    Attributes:
        box_size: Side in px.
        pixel_size: Sampling in Å/px.
        mask_radius: Of the disc that is looked at, in Å; noise is measured outside.
        is_ctf_corrected: Whether the second channel has its phases flipped; else it is the first.
    """

    box_size: int
    pixel_size: float
    mask_radius: float
    is_ctf_corrected: bool = True

    def distance_px(self) -> Float[Tensor, "y x"]:
        """Distance of each pixel from the centre pixel."""
        axis = torch.arange(self.box_size) - self.box_size // 2
        return (axis[:, None] ** 2 + axis**2).float().sqrt()

    def mask(self) -> Float[Tensor, "y x"]:
        """1 within the mask's radius, falling to 0 over 3 px as a raised cosine."""
        beyond = (self.distance_px() - self.mask_radius / self.pixel_size) / _EDGE_PX
        return 0.5 + 0.5 * torch.cos(torch.pi * beyond.clamp(0.0, 1.0))


def network_images(
    images: Float[Tensor, "row n n"],
    particles: Particles,
    rows: npt.NDArray[np.int64],
    shape: ImageShape,
) -> Float[Tensor, "row 2 y x"]:
    """Bring images of one optics box to what a network sees, without the mask.

    Phases are flipped at the full sampling. Mean and standard deviation are those of the pixels
    outside the mask's radius (of all where it leaves none).
    """
    box_size, pixel_size = images.shape[-1], float(particles.pixel_size()[rows[0]])
    channels = _channels(images, particles, rows, shape, pixel_size)
    matrix = centred_resampling(
        box_size, shape.box_size, pixel_size=pixel_size, new_pixel_size=shape.pixel_size
    ).to(images.device)
    is_reached = matrix.abs().sum(dim=1) > 0
    # px that the box does not reach say nothing of the noise
    is_reached = is_reached[:, None] & is_reached
    outside = (shape.distance_px() * shape.pixel_size > shape.mask_radius).to(images.device)
    return _evened(resample_images(channels, matrix), is_reached, outside & is_reached)


def _channels(
    images: Float[Tensor, "row n n"],
    particles: Particles,
    rows: npt.NDArray[np.int64],
    shape: ImageShape,
    pixel_size: float,
) -> Float[Tensor, "row 2 n n"]:
    """Images as they are, and with their phases flipped."""
    if not shape.is_ctf_corrected:
        return torch.stack([images, images], dim=1)
    box_size, device = images.shape[-1], images.device
    phases = aberration_phases(
        particles, rows, box_size=box_size, pixel_size=pixel_size, device=device
    )
    spectrum = image_rfft(images)
    if phases is not None:
        spectrum = spectrum * phases.conj()
        images = image_from_rfft(spectrum, box_size)
    transfer = particle_ctf(
        particles, rows, box_size=box_size, pixel_size=pixel_size, device=device
    )
    flipped = image_from_rfft(spectrum * transfer.sign(), box_size)
    # images that were multiplied by their CTF have right phases; flipping undoes that
    if particles.optics[int(particles.optics_index[rows[0]])].is_premultiplied:
        images, flipped = flipped, images
    return torch.stack([images, flipped], dim=1)


def _evened(
    images: Float[Tensor, "row 2 y x"],
    is_reached: Bool[Tensor, "y x"],
    is_noise: Bool[Tensor, "y x"],
) -> Float[Tensor, "row 2 y x"]:
    """Noise of mean 0 and standard deviation 1; 0 where the images do not reach.

    Where there is no noise, because nothing is left outside or images were masked before, all of
    the image is measured.
    """
    whole = images[..., is_reached].flatten(1)
    spread = whole.std(dim=1)
    noise = images[..., is_noise].flatten(1) if bool(is_noise.any()) else whole
    std = noise.std(dim=1)
    is_flat = std <= _LEAST_NOISE * spread
    mean = torch.where(is_flat, whole.mean(dim=1), noise.mean(dim=1))
    std = torch.where(is_flat, spread, std)
    # an image of one value holds nothing but rounding
    is_empty = std <= _ROUNDING * whole.abs().amax(dim=1)
    std = torch.where(is_empty, torch.inf, std)
    return is_reached * (images - mean[:, None, None, None]) / std[:, None, None, None]


def read_network_images(
    particles: Particles,
    rows: npt.NDArray[np.int64],
    shape: ImageShape,
    *,
    reader: ImageSupply,
    on_event: OnEvent = ignore,
) -> Float[Tensor, "row 2 y x"]:
    """Prepare images of all these rows in half precision, which holds noise as well as any."""
    prepared = torch.empty(
        (len(rows), NUM_CHANNELS, shape.box_size, shape.box_size), dtype=torch.half
    )
    done = 0
    for places in same_optics(particles, rows, _AT_ONCE):
        batch = torch.from_numpy(reader.read(rows[places]))
        prepared[places] = network_images(batch, particles, rows[places], shape).half()
        done += len(places)
        on_event(Progress("prepare", done, len(rows), "image"))
    return prepared


def same_optics(
    particles: Particles, rows: npt.NDArray[np.int64], count: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Places in `rows`, at most `count` at a time, whose images share box and pixel size."""
    kinds = particles.optics_index[rows]
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        for start in range(0, len(places), count):
            yield places[start : start + count]
