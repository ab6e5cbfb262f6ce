"""Fourier shell correlation of boxes of any shape, over all or a region of Fourier space."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.frequencies import shell_frequencies
from icelens.core.fourier.shells import shell_counts, shell_sums

_AXES = (-3, -2, -1)


@dataclass(frozen=True)
class ShellCorrelation:
    """A correlation for each shell, on the CPU in float64.

    Attributes:
        spatial_frequency: Middle of each shell, in 1/Å.
        correlation: In [-1, 1]; 1 in shell 0 by convention, 0 where a map has no power, NaN
            everywhere else if a map holds NaN.
        count: Samples of the full transform in each shell, weighted by the region.
    """

    spatial_frequency: Float[Tensor, " shell"]
    correlation: Float[Tensor, "*batch shell"]
    count: Float[Tensor, " shell"]


def fourier_shell_correlation(
    map_1: Float[Tensor, "*batch z y x"],
    map_2: Float[Tensor, "*batch z y x"],
    *,
    pixel_size: float,
    region: Float[Tensor, "z y x_half"] | None = None,
    mask: Float[Tensor, "z y x"] | None = None,
) -> ShellCorrelation:
    """Correlate two maps shell by shell: `sum F1 F2* / sqrt(sum |F1|^2 sum |F2|^2)`.

    Shells are `1 / (longest side * pixel_size)` thick, `longest side // 2 + 1` of them. The mean
    (within the mask) is removed first, so that grey offsets do not matter.

    Args:
        map_1: One map, or a batch of them.
        map_2: What each is compared with, on the same grid.
        pixel_size: In Å/px.
        region: Weight of each sample in all three sums, such as the measured mask or one minus it.
        mask: Soft mask in real space, multiplied to both maps.

    Raises:
        GeometryError: If maps, region or mask do not fit each other.

    References:
        Harauz & van Heel, Optik 73 (1986), eq. 4.
    """
    shape = _checked_shape(map_1, map_2, region, mask)
    if region is None:
        counts = shell_counts(shape, device=map_1.device)
    else:
        counts = shell_sums(region.to(map_1.device), shape[2])
    cross, power_1, power_2 = _shell_products(map_1, map_2, region, mask, counts)
    correlation = _ratio(cross, power_1, power_2)
    correlation[..., 0] = 1.0
    frequency = shell_frequencies(shape, pixel_size=pixel_size)
    return ShellCorrelation(frequency, correlation, counts.cpu())


def region_correlation(
    map_1: Float[Tensor, "z y x"],
    map_2: Float[Tensor, "z y x"],
    region: Float[Tensor, "z y x_half"],
    *,
    mask: Float[Tensor, "z y x"] | None = None,
) -> float:
    """Correlate two maps over a region of Fourier space as a whole, without the mean.

    It is the correlation of the maps in real space after everything outside the region, or beyond
    the Nyquist frequency, is taken out; the strong low frequencies count most.

    Args:
        map_1: One map.
        map_2: What it is compared with, on the same grid.
        region: Weight of each sample.
        mask: Soft mask in real space, multiplied to both maps.

    Raises:
        GeometryError: If maps, region or mask do not fit each other.
    """
    _checked_shape(map_1, map_2, region, mask)
    counts = shell_sums(region.to(map_1.device), map_1.shape[-1])
    products = _shell_products(map_1, map_2, region, mask, counts)
    cross, power_1, power_2 = (product[1:].sum() for product in products)
    return float(_ratio(cross, power_1, power_2))


def resolution_at(curve: ShellCorrelation, threshold: float) -> float:
    """Resolution in Å where a curve first falls below a threshold, linear between shells.

    Shells without samples are skipped. A curve that never falls gives the resolution of its last
    shell, so that the answer is never finer than the sampling.

    Raises:
        GeometryError: If the curve is a batch of curves.
    """
    frequency, correlation = _populated(curve)
    below = (~(correlation >= threshold)).nonzero()  # NaN counts, and makes the answer NaN
    if not len(below):
        return 1.0 / float(frequency[-1])
    after = max(1, int(below[0]))
    (f0, f1), (c0, c1) = frequency[after - 1 : after + 1], correlation[after - 1 : after + 1]
    return 1.0 / float(f0 + (f1 - f0) * (c0 - threshold) / (c0 - c1))


def mean_correlation(curve: ShellCorrelation, coarsest: float, finest: float) -> float:
    """Mean over the shells between two resolutions in Å, both included, as 200.0 and 30.0.

    Raises:
        GeometryError: If no shell with samples lies between them, or the curve is a batch.
    """
    frequency, correlation = _populated(curve)
    slack = 1e-6  # relative: a shell that lies on the bound by design is inside
    inside = (frequency * coarsest >= 1.0 - slack) & (frequency * finest <= 1.0 + slack)
    if not inside.any():
        raise GeometryError(
            f"no Fourier shell lies between {coarsest:g} and {finest:g} Å; the shells reach from "
            f"{1.0 / float(frequency[1]):.4g} to {1.0 / float(frequency[-1]):.4g} Å"
        )
    return float(correlation[inside].mean())


def _checked_shape(
    map_1: Tensor, map_2: Tensor, region: Tensor | None, mask: Tensor | None
) -> tuple[int, int, int]:
    num_z, num_y, num_x = map_1.shape[-3:]
    shape, half = (num_z, num_y, num_x), (num_z, num_y, num_x // 2 + 1)
    if map_1.shape != map_2.shape:
        raise GeometryError(
            f"the maps differ in shape, (z, y, x) = {tuple(map_1.shape)} and "
            f"{tuple(map_2.shape)}; bring both to one grid first"
        )
    if max(shape) < 2:
        raise GeometryError(f"a map of shape {shape} has no Fourier shells; expected a volume")
    if mask is not None and mask.shape != shape:
        raise GeometryError(
            f"the mask has (z, y, x) = {tuple(mask.shape)}, the maps {shape}; make it on their grid"
        )
    if region is not None and region.shape != half:
        raise GeometryError(
            f"the region has {tuple(region.shape)} samples, the maps' half transform {half}"
        )
    return shape


def _shell_products(
    map_1: Tensor,
    map_2: Tensor,
    region: Tensor | None,
    mask: Tensor | None,
    counts: Float[Tensor, " shell"],
) -> tuple[Float[Tensor, "*batch shell"], ...]:
    """Cross term and both powers of each shell, on the CPU; power that is only rounding is zero."""
    num_x = map_1.shape[-1]
    centred = [_centred(values, mask) for values in (map_1, map_2)]
    spectrum_1, spectrum_2 = (torch.fft.rfftn(values, dim=_AXES) for values in centred)
    weight = 1.0 if region is None else region.to(map_1.device)

    def sums(first: Tensor, second: Tensor) -> Tensor:
        # Re(a b*) without a complex product, which would need twice the memory
        product = first.real * second.real + first.imag * second.imag
        return shell_sums(product * weight, num_x)

    powers = []
    for spectrum, values in ((spectrum_1, centred[0]), (spectrum_2, centred[1])):
        power = sums(spectrum, spectrum)
        # Parseval: the mean of |F|^2 is the energy in real space; FFTs err by some eps of its root
        mean_power = values.double().square().sum(_AXES)[..., None].to(power.device)
        floor = (10.0 * torch.finfo(values.dtype).eps) ** 2 * mean_power * counts
        powers.append(torch.where(power <= floor, 0.0, power).cpu())  # NaN stays NaN
    return sums(spectrum_1, spectrum_2).cpu(), *powers


def _centred(values: Tensor, mask: Tensor | None) -> Float[Tensor, "*batch z y x"]:
    """The map without its mean within the mask, times the mask; at least float32."""
    values = values if values.dtype == torch.float64 else values.float()
    if mask is None:
        return values - values.mean(_AXES, keepdim=True)
    mask = mask.to(values)
    mean = (values * mask).sum(_AXES, keepdim=True) / mask.sum().clamp(min=1e-12)
    return (values - mean) * mask


def _ratio(
    cross: Float[Tensor, "*shape"],
    power_1: Float[Tensor, "*shape"],
    power_2: Float[Tensor, "*shape"],
) -> Float[Tensor, "*shape"]:
    scale = (power_1 * power_2).sqrt()
    return torch.where(scale == 0, 0.0, cross / scale.clamp(min=1e-300)).clamp(-1.0, 1.0)


def _populated(
    curve: ShellCorrelation,
) -> tuple[Float[Tensor, " shell"], Float[Tensor, " shell"]]:
    """Frequency and correlation of the shells that hold samples; shell 0 always belongs to them."""
    if curve.correlation.ndim != 1:
        raise GeometryError(
            f"expected one curve, got a batch of shape {tuple(curve.correlation.shape[:-1])}"
        )
    kept = curve.count > 0
    kept[0] = True
    if int(kept.sum()) < 2:
        raise GeometryError("the curve has no shell with samples; the region is empty")
    return curve.spatial_frequency[kept], curve.correlation[kept]
