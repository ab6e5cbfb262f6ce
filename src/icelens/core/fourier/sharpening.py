"""Raise the radial amplitude of a map, which a fall-off of contrast and envelopes bends down."""

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.filters import apply_filter, b_factor_envelope, low_pass
from icelens.core.fourier.frequencies import Shape, shell_frequencies, shell_of_resolution
from icelens.core.fourier.shells import shell_counts, shell_sums
from icelens.core.optics.correction import radial

MOST_GAIN = 1000.0
"""A shell weaker than this is empty (filtered, or beyond an anti-alias filter), not faint."""


def radial_amplitude(
    volume: Float[Tensor, "z y x"], mask: Float[Tensor, "z y x"] | None = None
) -> Float[Tensor, " shell"]:
    """Root mean square Fourier amplitude of each shell; the mean (within the mask) is removed."""
    z, y, x = volume.shape
    if mask is None:
        centred = volume - volume.mean()
    else:
        centred = (volume - (volume * mask).sum() / mask.sum().clamp(min=1e-12)) * mask
    spectrum = torch.fft.rfftn(centred)
    power = shell_sums(spectrum.real.square() + spectrum.imag.square(), x)
    return (power / shell_counts((z, y, x), device=power.device)).sqrt()


def power_law_weight(
    amplitude: Float[Tensor, " shell"],
    shape: Shape,
    *,
    pixel_size: float,
    low_resolution: float,
    high_resolution: float | None = None,
    exponent: float = 0.0,
) -> Float[Tensor, " shell"]:
    """Weight of each shell that turns an amplitude into `k^-exponent` beyond a resolution.

    It is 1 up to `low_resolution`, and continues there: the amplitude the law starts from is the
    geometric mean of three shells. No shell is raised more than a thousandfold.

    Args:
        amplitude: From `radial_amplitude`.
        shape: Voxels of the map.
        pixel_size: In Å/px.
        low_resolution: In Å, from where the amplitude follows the law.
        high_resolution: In Å; nothing finer is kept. None keeps all.
        exponent: 0 makes the amplitude flat, as of points; larger values let it fall.

    Raises:
        GeometryError: If a resolution cannot be held at this pixel size.
    """
    start = max(1, shell_of_resolution(low_resolution, shape, pixel_size=pixel_size))
    frequency = shell_frequencies(shape, pixel_size=pixel_size).to(amplitude.device)
    floor = amplitude.max() * torch.finfo(torch.float32).tiny
    level = amplitude[max(1, start - 1) : start + 2].clamp(min=floor).log().mean().exp()
    law = level * (frequency / frequency[start]).clamp(min=1e-6) ** -exponent
    # an empty shell has nothing to be raised: dividing by its amplitude would show rounding errors
    gain = law / amplitude.clamp(min=float(level) / MOST_GAIN)
    weight = torch.where(torch.arange(len(amplitude), device=gain.device) > start, gain, 1.0)
    weight = weight.clamp(max=MOST_GAIN)
    if high_resolution is not None:
        shell_of_resolution(high_resolution, shape, pixel_size=pixel_size)
        weight = weight * low_pass(frequency, high_resolution)
    return weight


def fsc_weight(
    correlation: Float[Tensor, " shell"], *, threshold: float = 0.143
) -> Float[Tensor, " shell"]:
    """Weight of each shell of the mean of two half maps, `sqrt(2 FSC / (1 + FSC))`.

    It is the expected correlation of that mean with the noise-free map. From the first shell on
    that falls below the threshold all is 0: what rises again beyond it is chance or the mask.

    References:
        Rosenthal & Henderson, J. Mol. Biol. 333 (2003) 721, eq. 7 and appendix.
    """
    is_below = ~(correlation >= threshold)
    is_below[0] = False
    kept = torch.cumsum(is_below, dim=0) == 0
    height = correlation.clamp(0.0, 1.0)
    return torch.where(kept, (2.0 * height / (1.0 + height)).sqrt(), 0.0)


def sharpening_weight(
    correlation: Float[Tensor, " shell"],
    spatial_frequency: Float[Tensor, " shell"],
    *,
    b_factor: float,
    resolution: float | None = None,
    threshold: float = 0.143,
) -> Float[Tensor, " shell"]:
    """Weight of each shell of a sharpened map: that of its FSC, times `exp(-B k^2 / 4)`.

    Args:
        correlation: FSC of the half maps.
        spatial_frequency: Of each shell, in 1/Å.
        b_factor: In Å^2; negative sharpens.
        resolution: In Å; nothing finer is kept. None keeps all up to the threshold.
        threshold: Height of the FSC from whose first crossing on nothing is kept.
    """
    weight = fsc_weight(correlation, threshold=threshold)
    weight = weight * b_factor_envelope(spatial_frequency, b_factor)
    if resolution is not None:
        weight = weight * low_pass(spatial_frequency, resolution)
    return weight


def weigh_shells(
    volume: Float[Tensor, "z y x"], weight: Float[Tensor, " shell"]
) -> Float[Tensor, "z y x"]:
    """Multiply each shell of a map by its weight, linear in between; the corners are emptied."""
    z, y, x = volume.shape
    falling = torch.cat([weight, weight.new_zeros(1)]).to(volume)
    curve = radial(falling, (z, y, x), last_frequency=(len(falling) - 1) / max(volume.shape))
    return apply_filter(volume, curve)
