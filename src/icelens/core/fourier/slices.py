"""Projections of a volume through central slices of its transform (Fourier slice theorem).

The image of a particle is the sum along z of its rotated density; its transform is the plane of
the volume's transform whose in-plane axes are rows 0 and 1 of the rotation.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.transforms import image_from_rfft, volume_rfft

PADDING = 2


def project_volume(
    volume: Float[Tensor, "n n n"], rotation: Float[Tensor, "*batch 3 3"]
) -> Float[Tensor, "*batch n n"]:
    """Rotate a cubic volume and sum it along z.

    Raises:
        GeometryError: If the volume is not cubic.
    """
    return image_from_rfft(central_slices(slice_source(volume), rotation), volume.shape[-1])


def slice_source(volume: Float[Tensor, "n n n"]) -> Complex[Tensor, "m m m_half"]:
    """Transform of the volume padded twofold, ready for `central_slices`.

    Linear interpolation between Fourier samples multiplies the density by `sinc^2` of the distance
    from the centre along each axis; the volume is divided by it beforehand, as RELION does. Samples
    on grid points (the zero frequency is one) lose nothing and come out a few per cent too large.
    """
    box_size = volume.shape[-1]
    if volume.shape != (box_size,) * 3:
        raise GeometryError(f"expected a cubic volume, got (z, y, x) = {tuple(volume.shape)}")
    distance = torch.arange(box_size, device=volume.device) - box_size // 2
    fade = torch.sinc(distance / (PADDING * box_size)).to(volume.dtype) ** 2
    flat = volume / (fade[:, None, None] * fade[:, None] * fade)
    before = PADDING * box_size // 2 - box_size // 2
    after = (PADDING - 1) * box_size - before
    return volume_rfft(torch.nn.functional.pad(flat, (before, after) * 3))


def central_slices(
    source: Complex[Tensor, "m m m_half"], rotation: Float[Tensor, "*batch 3 3"]
) -> Complex[Tensor, "*batch n n_half"]:
    """Cut planes through the centre of a transform; frequencies beyond Nyquist's radius are zero.

    Args:
        source: From `slice_source`.
        rotation: Takes the reference to the image.
    """
    box_size = source.shape[0] // PADDING
    y = torch.fft.fftfreq(box_size, d=1.0 / box_size, device=source.device)
    x = torch.fft.rfftfreq(box_size, d=1.0 / box_size, device=source.device)
    grid_yx = torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=-1)
    # k_reference = R^T (k_x, k_y, 0): rows 0 and 1 of R weighed by k_x and k_y
    axes = rotation[..., None, None, :2, :].to(grid_yx.dtype)
    frequency_xyz = (grid_yx.flip(-1)[..., None, :] @ axes).squeeze(-2)
    values = _interpolated(source, PADDING * frequency_xyz)
    return torch.where(grid_yx.norm(dim=-1) <= box_size // 2, values, 0.0)


def _interpolated(
    source: Complex[Tensor, "m m m_half"], index_xyz: Float[Tensor, "*batch 3"]
) -> Complex[Tensor, "*batch"]:
    """Trilinear value of a half transform at fractional indices of any sign."""
    # The stored half has x >= 0; the other is its conjugate at the opposite place (Friedel).
    is_mirrored = index_xyz[..., 0] < 0
    index_xyz = torch.where(is_mirrored[..., None], -index_xyz, index_xyz)
    base = torch.floor(index_xyz)
    part = index_xyz - base
    base = base.long()
    side = source.shape[0]
    total = torch.zeros(index_xyz.shape[:-1], dtype=source.dtype, device=source.device)
    for corner in range(8):
        step_xyz = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2], device=source.device)
        weight = torch.where(step_xyz.bool(), part, 1.0 - part).prod(dim=-1)
        x, y, z = (base + step_xyz).unbind(-1)
        x = x.clamp(max=source.shape[2] - 1)
        total = total + weight * source[z % side, y % side, x]
    return torch.where(is_mirrored, total.conj(), total)
