"""Projections of a volume through central slices of its transform (Fourier slice theorem).

The image of a particle is the sum along z of its rotated density; its transform is the plane of
the volume's transform whose in-plane axes are rows 0 and 1 of the rotation.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.disc import disc
from icelens.core.fourier.transforms import image_from_rfft, volume_rfft

PADDING = 2
_SAMPLES_AT_ONCE = 1 << 16
"""Samples looked up together; bounds the memory for places and weights."""


def project_volume(
    volume: Float[Tensor, "n n n"], rotation: Float[Tensor, "*batch 3 3"]
) -> Float[Tensor, "*batch n n"]:
    """Rotate a cubic volume and sum it along z.

    Raises:
        GeometryError: If the volume is not cubic.
    """
    return image_from_rfft(central_slices(slice_source(volume), rotation), volume.shape[-1])


def slice_source(
    volume: Float[Tensor, "n n n"], *, padding: int = PADDING
) -> Complex[Tensor, "m m m_half"]:
    """Transform of the volume padded twofold, ready for `central_slices`.

    Linear interpolation between Fourier samples multiplies the density by `sinc^2` of the distance
    from the centre along each axis; the volume is divided by it beforehand, as RELION does. Samples
    on grid points (the zero frequency is one) lose nothing and come out a few per cent too large.

    Args:
        volume: Density.
        padding: How many times larger the padded box is.

    Raises:
        GeometryError: If the volume is not cubic.
    """
    box_size = volume.shape[-1]
    if volume.shape != (box_size,) * 3:
        raise GeometryError(f"expected a cubic volume, got (z, y, x) = {tuple(volume.shape)}")
    fade = interpolation_fade(box_size, padding=padding, device=volume.device).to(volume.dtype)
    flat = volume / (fade[:, None, None] * fade[:, None] * fade)
    before = padding * box_size // 2 - box_size // 2
    after = (padding - 1) * box_size - before
    return volume_rfft(torch.nn.functional.pad(flat, (before, after) * 3))


def interpolation_fade(
    box_size: int, *, padding: int, device: torch.device | str = "cpu"
) -> Float[Tensor, " n"]:
    """What linear interpolation of a padded transform leaves of the density along one axis."""
    distance = torch.arange(box_size, device=device, dtype=torch.float64) - box_size // 2
    return torch.sinc(distance / (padding * box_size)) ** 2


def central_slices(
    source: Complex[Tensor, "m m m_half"],
    rotation: Float[Tensor, "*batch 3 3"],
    *,
    padding: int = PADDING,
    max_radius: int | None = None,
) -> Complex[Tensor, "*batch n n_half"]:
    """Cut planes through the centre of a transform; frequencies beyond a radius are zero.

    `icelens.core.fourier.insertion` is the adjoint.

    Args:
        source: From `slice_source`.
        rotation: Takes the reference to the image.
        padding: The one of `slice_source`.
        max_radius: In cycles per box; Nyquist if left out.
    """
    box_size = source.shape[0] // padding
    samples = disc(
        box_size,
        box_size // 2 if max_radius is None else max_radius,
        device=str(source.device),
        dtype=source.real.dtype,
    )
    rows = rotation.reshape(-1, 3, 3).to(source.real.dtype)
    # k_reference = R^T (k_x, k_y, 0): rows 0 and 1 of R weighed by k_x and k_y
    axes = rows[:, :2].mT
    half = box_size // 2 + 1
    slices = source.new_zeros(len(rows), box_size * half)
    step = max(1, _SAMPLES_AT_ONCE // len(samples.index))
    for start in range(0, len(rows), step):
        index_xyz = axes[start : start + step] @ (samples.frequency_xy * padding)
        slices[start : start + step, samples.index] = _interpolated(source, index_xyz)
    return slices.reshape(*rotation.shape[:-2], box_size, half)


def _interpolated(
    source: Complex[Tensor, "m m m_half"], index_xyz: Float[Tensor, "row 3 sample"]
) -> Complex[Tensor, "row sample"]:
    """Trilinear value of a half transform at fractional indices of any sign."""
    # The stored half has x >= 0; the other is its conjugate at the opposite place (Friedel).
    sign = torch.where(index_xyz[:, 0] < 0, -1.0, 1.0).to(index_xyz.dtype)
    index_xyz = index_xyz * sign[:, None]
    base = index_xyz.detach().floor()
    part = (index_xyz - base).unbind(1)
    size, half = source.shape[0], source.shape[2]
    x, y, z = base.long().unbind(1)
    corners_z = (z % size * size, (z + 1) % size * size)
    corners_y = (y % size, (y + 1) % size)
    # beyond the last column lies nothing that is weighted with more than rounding
    corners_x = (x.clamp(max=half - 1), (x + 1).clamp(max=half - 1))
    choices = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    index = torch.stack(
        [(corners_z[i] + corners_y[j]) * half + corners_x[k] for i, j, k in choices], dim=-1
    )
    (x_up, y_up, z_up) = part
    weights_x, weights_y, weights_z = (1.0 - x_up, x_up), (1.0 - y_up, y_up), (1.0 - z_up, z_up)
    weight = torch.stack(
        [weights_z[i] * weights_y[j] * weights_x[k] for i, j, k in choices], dim=-1
    )
    # looks up and sums in one compiled loop, five times as fast as eight gathers
    values = torch.nn.functional.embedding_bag(
        index.flatten(0, 1),
        torch.view_as_real(source).reshape(-1, 2),
        per_sample_weights=weight.flatten(0, 1),
        mode="sum",
    )
    real, imaginary = values.reshape(*sign.shape, 2).unbind(-1)
    return torch.complex(real, imaginary * sign)
