"""Bring a map to a cubic box of another side and pixel size; its centre voxel stays the centre."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.fourier.rescale import rescale_axis
from icelens.core.fourier.shells import column_weights

# Pixel sizes of headers and tables are written with few digits.
_SAME = 1e-4


def to_box(
    volume: Float[Tensor, "z y x"], *, pixel_size: float, box_size: int, new_pixel_size: float
) -> Float[Tensor, "{box_size} {box_size} {box_size}"]:
    """Sample a map on another grid: voxel `n // 2` goes to voxel `box_size // 2`.

    The map is the Fourier series of its box without the frequencies beyond either Nyquist
    frequency, hence values between voxels are exact and nothing folds back. What lies outside the
    old box is 0.

    Args:
        volume: Density, of any three sides.
        pixel_size: Of the volume, in Å.
        box_size: Side of the result in voxels.
        new_pixel_size: Of the result, in Å.

    Raises:
        MetadataError: If a pixel size is not positive, or the box is empty.
    """
    if not (pixel_size > 0 and new_pixel_size > 0 and box_size > 0):
        raise MetadataError(
            f"cannot bring a map of {pixel_size:g} Å/px to {box_size} voxels of "
            f"{new_pixel_size:g} Å; all must be positive"
        )
    step = new_pixel_size / pixel_size
    if abs(step - 1.0) < _SAME:
        step = 1.0
        if volume.shape == (box_size,) * 3:
            return volume
    for dim, side in enumerate(volume.shape):
        volume = rescale_axis(volume, dim, centred_rescaling_matrix(side, box_size, step))
    return volume.contiguous()


def centred_rescaling_matrix(
    num_in: int, num_out: int, step: float
) -> Float[Tensor, "{num_out} {num_in}"]:
    """Weights that sample an axis every `step` of its voxels; the centres of both coincide."""
    there = (torch.arange(num_out, dtype=torch.float64) - num_out // 2) * step + num_in // 2
    here = torch.arange(num_in, dtype=torch.float64)
    # the new Nyquist frequency itself is kept: going finer and back loses nothing
    highest = min(num_in // 2, int(0.5 * num_in / step * (1.0 + 1e-9)))
    weights = column_weights(num_in).double()[: highest + 1] / num_in
    turn = 2.0 * math.pi / num_in * torch.arange(highest + 1, dtype=torch.float64)
    # cos(a - b) = cos a cos b + sin a sin b makes the sum over frequencies a matrix product
    cosines = (torch.cos(there[:, None] * turn) * weights) @ torch.cos(here[:, None] * turn).T
    sines = (torch.sin(there[:, None] * turn) * weights) @ torch.sin(here[:, None] * turn).T
    # a transform sees a ring: without this the map would be repeated beyond its box
    is_inside = (there > -0.5) & (there < num_in - 0.5)
    return ((cosines + sines) * is_inside[:, None]).float()
