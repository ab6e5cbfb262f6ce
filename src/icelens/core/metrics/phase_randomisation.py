"""How much of a masked correlation comes from the mask: correlate maps whose phases are random.

A mask convolves both transforms with its own and so correlates neighbouring samples of any two
maps, even of noise. What is left between maps without common phases is that part.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.metrics.fsc import ShellCorrelation, fourier_shell_correlation

_AXES = (-3, -2, -1)
# Below it a mask's correlation is one for all that is known, and the formula divides by zero.
_LEAST_REMAINDER = 1e-3


def randomise_phases(
    volume: Float[Tensor, "z y x"], beyond: float, *, generator: torch.Generator
) -> Float[Tensor, "z y x"]:
    """Give every frequency above `beyond` cycles/px a random phase; amplitudes stay."""
    spectrum = torch.fft.rfftn(volume, dim=_AXES)
    # phases of a real map agree between Friedel mates by themselves, on every plane
    noise = torch.randn(volume.shape, generator=generator, dtype=volume.dtype)
    phases = torch.fft.rfftn(noise.to(volume.device), dim=_AXES)
    random = spectrum.abs() * phases / phases.abs().clamp(min=torch.finfo(volume.dtype).tiny)
    z, y, x = volume.shape
    is_far = frequency_radius((z, y, x), device=volume.device) > beyond
    mixed = torch.where(is_far, random, spectrum)
    result: Tensor = torch.fft.irfftn(mixed, s=volume.shape, dim=_AXES)
    return result


@dataclass(frozen=True)
class MaskedCorrelation:
    """Correlations of two maps that show what a mask does.

    Attributes:
        unmasked: Of the maps as they are.
        masked: Of the maps times the mask.
        randomised: The same after the phases beyond a shell were made random.
        corrected: `masked` less what the mask makes.
    """

    unmasked: ShellCorrelation
    masked: ShellCorrelation
    randomised: ShellCorrelation
    corrected: ShellCorrelation


def masked_correlation(
    map_1: Float[Tensor, "z y x"],
    map_2: Float[Tensor, "z y x"],
    mask: Float[Tensor, "z y x"],
    *,
    pixel_size: float,
    generator: torch.Generator,
    region: Float[Tensor, "z y x_half"] | None = None,
    reliable_to: float = 0.8,
) -> MaskedCorrelation:
    """Correlate two maps with and without a mask; correct by `(masked - random) / (1 - random)`.

    Phases are randomised beyond the shell where the unmasked curve first falls below
    `reliable_to`; up to two shells further on the corrected curve is the masked one. A curve that
    never falls leaves nothing to randomise.

    Args:
        map_1: One map.
        map_2: What it is compared with, on the same grid.
        mask: Soft mask.
        pixel_size: In Å/px.
        generator: Draws the phases.
        region: Weight of each Fourier sample, as in `fourier_shell_correlation`.
        reliable_to: Height of the unmasked curve up to which phases are kept.

    References:
        Chen et al., Ultramicroscopy 135 (2013), eq. 4.
    """
    plain = fourier_shell_correlation(map_1, map_2, pixel_size=pixel_size, region=region)
    masked = fourier_shell_correlation(
        map_1, map_2, pixel_size=pixel_size, region=region, mask=mask
    )
    is_low = (plain.correlation < reliable_to) & (plain.count > 0)
    first = int(is_low.nonzero()[0]) if bool(is_low.any()) else len(is_low)
    if first + 2 >= len(is_low):
        return MaskedCorrelation(plain, masked, masked, masked)
    beyond = first / max(map_1.shape)
    random = fourier_shell_correlation(
        randomise_phases(map_1, beyond, generator=generator),
        randomise_phases(map_2, beyond, generator=generator),
        pixel_size=pixel_size,
        region=region,
        mask=mask,
    )
    remainder = (1.0 - random.correlation).clamp(min=_LEAST_REMAINDER)
    corrected = ((masked.correlation - random.correlation) / remainder).clamp(-1.0, 1.0)
    # the mask mixes kept and random phases within about two shells of the border (ibid.)
    corrected[: first + 2] = masked.correlation[: first + 2]
    return MaskedCorrelation(plain, masked, random, replace(masked, correlation=corrected))
