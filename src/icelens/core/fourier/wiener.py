"""From sums over images to a map: Wiener's division, back to real space, undo interpolation."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.slices import interpolation_fade
from icelens.core.fourier.symmetrise import extra_fade, symmetrised
from icelens.core.metrics.fsc import ShellCorrelation, fourier_shell_correlation, resolution_at

_LEAST_WEIGHT = 1e-3
"""No weight counts less than this part of its shell's mean: one sample there would be noise alone.
RELION's floor where the signal is not known."""
_LEAST_CORRELATION, _MOST_CORRELATION = 1e-3, 0.999
"""Beyond these an FSC says nothing about the ratio of signal to noise (as in RELION)."""


@dataclass(frozen=True, eq=False)
class HalfMaps:
    """What two half sets give.

    Attributes:
        half_1: Map of the first, without Wiener weights.
        half_2: Map of the second.
        full: Map of all images with the Wiener weights that the halves' agreement justifies.
        fsc: Of the halves.
        resolution: In Å, where it falls below 0.143.
    """

    half_1: Float[Tensor, "z y x"]
    half_2: Float[Tensor, "z y x"]
    full: Float[Tensor, "z y x"]
    fsc: ShellCorrelation
    resolution: float


def reconstruct_map(
    sums: SliceSums,
    *,
    symmetry: str = "C1",
    ssnr: Float[Tensor, " shell"] | None = None,
) -> Float[Tensor, "z y x"]:
    """Invert sums over images.

    Each point becomes `numerator / (weight + mean weight of its shell / SSNR)`, the estimate with
    the least expected error if signal and noise are Gaussian.

    Args:
        sums: Of all images; they stay as they are.
        symmetry: Point group of the particle.
        ssnr: Ratio of signal to noise power in the map of these sums, one for each shell of the
            map. Without it weights are only kept from becoming too small.

    Returns:
        Density on the map's grid; nothing beyond the sums' radius.

    Raises:
        GeometryError: If the ratio has another number of shells.
        MetadataError: If the symmetry is unknown.

    References:
        Scheres, J. Mol. Biol. 415 (2012), eqs 4-6.
    """
    num_shells = sums.box_size // 2 + 1
    if ssnr is not None and ssnr.shape != (num_shells,):
        raise GeometryError(
            f"a signal-to-noise ratio of {len(ssnr)} shells for a box of {sums.box_size} px, "
            f"expected {num_shells}"
        )
    used = symmetrised(sums, symmetry) if _has_symmetry(symmetry) else sums
    return _inverted(used, symmetry, ssnr)


def reconstruct_halves(
    sums_1: SliceSums,
    sums_2: SliceSums,
    *,
    symmetry: str = "C1",
    pixel_size: float,
    mask: Float[Tensor, "z y x"] | None = None,
) -> HalfMaps:
    """Two independent maps, their correlation, and the map of all that it justifies.

    Args:
        sums_1: Of one half set.
        sums_2: Of the other; no image may be in both.
        symmetry: Point group of the particle.
        pixel_size: In Å/px.
        mask: Soft mask for the correlation; the maps are not masked.

    Raises:
        GeometryError: If the sums do not fit each other.
        MetadataError: If the symmetry is unknown.
    """
    if _has_symmetry(symmetry):
        sums_1, sums_2 = symmetrised(sums_1, symmetry), symmetrised(sums_2, symmetry)
    half_1, half_2 = (_inverted(sums, symmetry, None) for sums in (sums_1, sums_2))
    fsc = fourier_shell_correlation(half_1, half_2, pixel_size=pixel_size, mask=mask)
    both = SliceSums.like(sums_1)
    both.add(sums_1)
    both.add(sums_2)
    full = _inverted(both, symmetry, ssnr_of_all(fsc.correlation))
    return HalfMaps(half_1, half_2, full, fsc, resolution_at(fsc, 0.143))


def ssnr_of_all(fsc: Float[Tensor, " shell"]) -> Float[Tensor, " shell"]:
    """Signal over noise power in the map of all images: twice that of a half, `FSC / (1 - FSC)`.

    References:
        Rosenthal & Henderson, J. Mol. Biol. 333 (2003), eq. 16 and following.
    """
    known = torch.nan_to_num(fsc, nan=0.0).clamp(_LEAST_CORRELATION, _MOST_CORRELATION)
    return 2.0 * known / (1.0 - known)


def _has_symmetry(symmetry: str) -> bool:
    return symmetry.strip().upper() != "C1"


def _inverted(
    sums: SliceSums, symmetry: str, ssnr: Float[Tensor, " shell"] | None
) -> Float[Tensor, "z y x"]:
    """The map of sums that were symmetrised already, where they had to be."""
    density = _cropped_inverse(_divided(sums, ssnr), sums)
    fade = interpolation_fade(sums.box_size, padding=sums.grid.padding, device=density.device)
    fade = fade.to(density.dtype)
    fade = fade[:, None, None] * fade[:, None] * fade
    return density / (fade * extra_fade(symmetry, fade))


def _divided(
    sums: SliceSums, ssnr: Float[Tensor, " shell"] | None
) -> Complex[Tensor, "m m m_half"]:
    """The numerator over the weight, plane by plane so that no further grids are needed."""
    spectrum, weight = sums.numerator, sums.weight
    last = sums.grid.max_radius
    totals = torch.zeros(last + 2, dtype=torch.float64)
    counts = torch.zeros(last + 2, dtype=torch.float64)
    for plane in range(len(weight)):
        shell = _shells_of_plane(sums, plane)
        flat = weight[plane].double().flatten().cpu()
        totals += torch.bincount(shell.flatten(), flat, last + 2)
        counts += torch.bincount(shell.flatten(), minlength=last + 2)
    mean = totals / counts.clamp(min=1.0)
    added = torch.zeros_like(mean)
    if ssnr is not None:
        added[:-1] = mean[:-1] / ssnr[: last + 1].double().cpu().clamp(min=1e-9)
    tiny = torch.finfo(weight.dtype).tiny
    floor = (_LEAST_WEIGHT * mean).clamp(min=tiny).to(weight)
    added = added.to(weight)
    for plane in range(len(weight)):
        shell = _shells_of_plane(sums, plane).to(weight.device)
        divisor = (weight[plane] + added[shell]).clamp(min=floor[shell])
        spectrum[plane] /= divisor.where(shell <= last, torch.inf)
    return spectrum


def _shells_of_plane(sums: SliceSums, plane: int) -> Int[Tensor, "m m_half"]:
    """Shell of the map that each point of a plane belongs to; one after the last beyond."""
    size = sums.grid.padded_size
    z = plane if 2 * plane < size else plane - size
    y = torch.fft.fftfreq(size, d=1.0 / size, dtype=torch.float64)[:, None]
    x = torch.fft.rfftfreq(size, d=1.0 / size, dtype=torch.float64)
    radius = (z**2 + y**2 + x**2).sqrt() / sums.grid.padding
    shell: Tensor = (radius + 0.5).long().clamp(max=sums.grid.max_radius + 1)
    return shell


def _cropped_inverse(
    spectrum: Complex[Tensor, "m m m_half"], sums: SliceSums
) -> Float[Tensor, "n n n"]:
    """Back to real space, one axis at a time: only the map's box is worked out."""
    size = sums.grid.padded_size
    index = torch.arange(sums.box_size, device=spectrum.device) - sums.box_size // 2
    for dim in (0, 1):
        spectrum = torch.fft.ifft(spectrum, dim=dim).index_select(dim, index % size)
    density: Tensor = torch.fft.irfft(spectrum, n=size, dim=2).index_select(2, index % size)
    return density
