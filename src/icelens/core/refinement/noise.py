"""Spectrum of the noise in particle images, and how strongly the reference shows in them."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.shells import shell_counts, shell_sums
from icelens.core.fourier.transforms import image_rfft

_EDGE_PX = 4.0
_LEAST_OUTSIDE = 0.15
"""Of an image's pixels: with fewer around the particle, whole images are measured."""


def noise_spectrum(
    images: Float[Tensor, "row y x"], mask_diameter_px: float | None
) -> Float[Tensor, " shell"]:
    """Mean power |N|^2 of the transform of noise in whole images, in each shell.

    It is measured around the particle, outside a circle. Where the circle leaves less than 15 % of
    the pixels, or there is none, whole images are measured: the particle then counts as noise,
    which at the contrast of cryo-EM adds some per cent and makes poses look less certain.

    Args:
        images: Particle images of any grey scale.
        mask_diameter_px: Of the circle, in px.

    Raises:
        GeometryError: If a shell holds no power at all: images that are constant.
    """
    box_size = images.shape[-1]
    outside = _outside(box_size, mask_diameter_px).to(images.device)
    if float(outside.mean()) < _LEAST_OUTSIDE:
        outside = torch.ones_like(outside)
    # the mean is taken out of what is kept: an offset would leak into every shell
    mean = (images * outside).sum((-2, -1), keepdim=True) / outside.sum()
    spectrum = image_rfft((images - mean) * outside)
    power = spectrum.abs().square().mean(0) / outside.square().mean()
    return smooth_power(shell_means(power, box_size))


def shell_means(values: Float[Tensor, "y x_half"], box_size: int) -> Float[Tensor, " shell"]:
    """Mean over each shell of an image's half transform."""
    counts = shell_counts((1, box_size, box_size), device=values.device)
    return (shell_sums(values[None], box_size) / counts.clamp(min=1.0)).float()


def smooth_power(power: Float[Tensor, " shell"]) -> Float[Tensor, " shell"]:
    """Power without its zeros; the zero frequency, which holds the offset, follows the next."""
    if not bool((power[1:] > 0).all()):
        raise GeometryError(
            "the images hold no power at some resolution; expected noise: are they constant, or "
            "low-pass filtered?"
        )
    power = power.clone()
    power[0] = power[1]
    return power


def _outside(box_size: int, diameter_px: float | None) -> Float[Tensor, "y x"]:
    """One outside a circle about the centre, with a soft edge that lies outside as well."""
    if diameter_px is None:
        return torch.zeros(box_size, box_size)
    axis = torch.arange(box_size, dtype=torch.float32) - box_size // 2
    distance = torch.hypot(axis[:, None], axis)
    edge = ((distance - 0.5 * diameter_px) / _EDGE_PX).clamp(0.0, 1.0)
    return 0.5 - 0.5 * torch.cos(math.pi * edge)


def amplitude_profile(
    image_rfft: Complex[Tensor, "row y x_half"],
    model_rfft: Complex[Tensor, "row y x_half"],
    box_size: int,
) -> Float[Tensor, " shell"]:
    """Factor on the model, shell by shell, with which it fits the images best; at least 0.

    It holds the scale of the map, its missing or added B-factor, and how fast errors of poses and
    of the map make images and model disagree towards high resolution.
    """
    cross = (image_rfft * model_rfft.conj()).real.mean(0)
    power = model_rfft.abs().square().mean(0)
    fit, norm = shell_means(cross, box_size), shell_means(power, box_size)
    return torch.where(norm > 0, fit / norm.clamp(min=1e-30), 0.0).clamp(min=0.0)
