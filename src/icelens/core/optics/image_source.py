"""Transforms of particle images with their CTF, free of what their optics did besides."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.fourier.transforms import image_rfft
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf

Integers = npt.NDArray[np.int64]

_LEAST_TRANSFER = 0.02
"""Where images that were multiplied by their CTF are divided by it; below nothing is left."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images of particles, ready to be compared with slices of a map.

    Attributes:
        particles: All images.
        reader: Of their stacks.
        device: Where transforms are computed.
    """

    particles: Particles
    reader: ImageReader
    device: torch.device

    def read(
        self, rows: Integers
    ) -> tuple[Complex[Tensor, "row y x_half"], Float[Tensor, "row y x_half"]]:
        """Transforms about the centre pixel and CTFs of rows that share box and pixel size.

        Phases of beam tilt and odd aberrations are taken out. Images that were multiplied by their
        CTF are divided by it, so that their noise is that of other images again.
        """
        box_size = int(self.particles.box_size()[rows[0]])
        pixel_size = float(self.particles.pixel_size()[rows[0]])
        spectrum = image_rfft(torch.from_numpy(self.reader.read(rows)).to(self.device))
        transfer = particle_ctf(
            self.particles, rows, box_size=box_size, pixel_size=pixel_size, device=self.device
        )
        phases = aberration_phases(
            self.particles, rows, box_size=box_size, pixel_size=pixel_size, device=self.device
        )
        if phases is not None:
            spectrum = spectrum * phases.conj()
        multiplied = self.particles.is_premultiplied()[rows]
        if multiplied.any():
            spectrum, transfer = _divided(
                spectrum, transfer, torch.from_numpy(multiplied).to(self.device)
            )
        return spectrum, transfer


def _divided(
    spectrum: Complex[Tensor, "row y x_half"],
    transfer: Float[Tensor, "row y x_half"],
    is_multiplied: Tensor,
) -> tuple[Complex[Tensor, "row y x_half"], Float[Tensor, "row y x_half"]]:
    is_multiplied = is_multiplied[:, None, None]
    is_lost = is_multiplied & (transfer.abs() < _LEAST_TRANSFER)
    divisor = torch.where(is_multiplied & ~is_lost, transfer, 1.0)
    return (
        torch.where(is_lost, 0.0, spectrum / divisor),
        torch.where(is_lost, 0.0, transfer),
    )
