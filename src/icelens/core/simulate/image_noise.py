"""Noise of particle images: white, or coloured as ice and a counting detector leave it."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.shells import column_weights

NoiseKind = Literal["white", "coloured"]

# Ice, carbon and proteins beside the particle: power above the plateau, and where it has halved.
_RISE, _RISE_LENGTH = 9.0, 40.0


def image_noise(
    count: int,
    box_size: int,
    pixel_size: float,
    kind: NoiseKind,
    generator: torch.Generator,
) -> Float[Tensor, "{count} {box_size} {box_size}"]:
    """Gaussian noise whose variance per pixel is 1, independent from image to image.

    Args:
        count: Number of images.
        box_size: Side of an image in px.
        pixel_size: In Å/px; sets where coloured noise rises.
        kind: See `noise_power`.
        generator: Source of randomness.
    """
    white = torch.randn(count, box_size, box_size, generator=generator)
    if kind == "white":
        return white
    amplitude = noise_power(box_size, pixel_size).sqrt()
    coloured: Tensor = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=white.shape[1:])
    return coloured


def noise_power(box_size: int, pixel_size: float) -> Float[Tensor, "y x_half"]:
    """Power of coloured noise, its mean over all frequencies 1.

    `(1 + 9 / (1 + (40 Å k)^2)) sinc^2(k / 2 k_Nyquist)`: what scatters beside the particle raises
    low frequencies, and the square pixel of a counting detector takes 60 % at the Nyquist
    frequency. Measured spectra differ; this one has their two slopes.
    """
    y = torch.fft.fftfreq(box_size)[:, None]
    x = torch.fft.rfftfreq(box_size)
    radius = (y**2 + x**2).sqrt()
    power = 1.0 + _RISE / (1.0 + (_RISE_LENGTH * radius / pixel_size) ** 2)
    power = power * torch.sinc(radius) ** 2
    mean = (power * column_weights(box_size)).sum() / box_size**2
    scaled: Tensor = power / mean
    return scaled
