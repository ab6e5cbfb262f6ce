"""Flip the phases of particle images: multiply by the sign of the CTF, which undoes itself."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.optics.particle_ctf import particle_ctf


def flip_phases(
    image_rfft: Complex[Tensor, "row n n_half"], particles: Particles, rows: npt.ArrayLike
) -> Complex[Tensor, "row n n_half"]:
    """Half transforms multiplied by -1 where the CTF is negative.

    Applied twice it changes nothing, whatever the optics groups say of flipped phases. A negative
    scale of the CTF, which stands for dark particles, is no phase: contrast stays.

    Args:
        image_rfft: Of square images that share a pixel size, any phase origin.
        particles: All images.
        rows: Number of each image.
    """
    rows = np.atleast_1d(np.asarray(rows))
    plain = replace(
        particles,
        optics=tuple(replace(group, is_phase_flipped=False) for group in particles.optics),
        ctf_scale=np.ones(len(particles)),
    )
    box_size = image_rfft.shape[-2]
    transfer = particle_ctf(
        plain,
        rows,
        box_size=box_size,
        pixel_size=float(particles.pixel_size()[rows[0]]),
        device=image_rfft.device,
    )
    return image_rfft * _signs(transfer)


def _signs(transfer: Float[Tensor, "row n n_half"]) -> Float[Tensor, "row n n_half"]:
    """1 or -1 of each sample, alike for Friedel mates."""
    signs = torch.where(transfer < 0, -1.0, 1.0)
    box_size = transfer.shape[-2]
    if box_size % 2 == 0:
        # plus and minus Nyquist of x share a column, in which y and -y are mates
        y = torch.arange(box_size, device=transfer.device)
        signs[..., -1] = signs[..., -1][..., torch.minimum(y, box_size - y)]
    return signs
