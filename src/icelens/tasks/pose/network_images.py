"""What a network sees of a particle image: raw and phase-flipped, at its own sampling and grey."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.resample import centred_resampling, resample_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf

CHANNELS = 2
_AT_ONCE = 64
_EDGE_PX = 3.0


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
    channels = [images, images]
    if shape.is_ctf_corrected:
        spectrum = image_rfft(images)
        phases = aberration_phases(
            particles, rows, box_size=box_size, pixel_size=pixel_size, device=images.device
        )
        if phases is not None:
            spectrum = spectrum * phases.conj()
            channels[0] = image_from_rfft(spectrum, box_size)
        transfer = particle_ctf(
            particles, rows, box_size=box_size, pixel_size=pixel_size, device=images.device
        )
        channels[1] = image_from_rfft(spectrum * transfer.sign(), box_size)
    matrix = centred_resampling(
        box_size, shape.box_size, pixel_size=pixel_size, new_pixel_size=shape.pixel_size
    ).to(images.device)
    resampled = resample_images(torch.stack(channels, dim=1), matrix)
    outside = (shape.distance_px() * shape.pixel_size > shape.mask_radius).to(images.device)
    # px that the box does not reach are 0 and say nothing of the noise
    outside = outside & (matrix.abs().sum(1) > 0)[:, None] & (matrix.abs().sum(1) > 0)
    if not bool(outside.any()):
        outside = torch.ones_like(outside)
    noise = resampled[..., outside].flatten(1)
    mean = noise.mean(dim=1)[:, None, None, None]
    std = noise.std(dim=1).clamp(min=1e-12)[:, None, None, None]
    return (resampled - mean) / std


def read_network_images(
    particles: Particles,
    rows: npt.NDArray[np.int64],
    shape: ImageShape,
    *,
    reader: ImageSupply,
    on_event: OnEvent = ignore,
) -> Float[Tensor, "row 2 y x"]:
    """Prepare images of all these rows in half precision, which holds noise as well as any."""
    prepared = torch.empty((len(rows), CHANNELS, shape.box_size, shape.box_size), dtype=torch.half)
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
