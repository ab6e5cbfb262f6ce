"""Bring a volume to another pixel size by cropping or extending its transform.

Voxel (0, 0, 0) stays where it is, so that positions in Å from its centre remain true. The axes are
independent of each other, so that a large volume can be treated one axis at a time.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.fourier.shells import column_weights


def rescaled_side(num_in: int, pixel_size: float, new_pixel_size: float) -> int:
    """Voxels of an axis after rescaling: `round(num_in * pixel_size / new_pixel_size)`.

    Raises:
        MetadataError: If a pixel size is not positive, or the axis would have no voxel left.
    """
    if not (pixel_size > 0 and new_pixel_size > 0 and math.isfinite(pixel_size / new_pixel_size)):
        raise MetadataError(
            f"cannot rescale from {pixel_size:g} to {new_pixel_size:g} Å/px; both must be positive"
        )
    num_out = round(num_in * pixel_size / new_pixel_size)
    if num_out < 1:
        raise MetadataError(
            f"{num_in} voxels of {pixel_size:g} Å are less than one of {new_pixel_size:g} Å; "
            "choose a smaller pixel size"
        )
    return num_out


def rescaling_matrix(
    num_in: int, *, pixel_size: float, new_pixel_size: float
) -> Float[Tensor, "out {num_in}"]:
    """Weights that take the samples of an axis to those of another pixel size, exactly.

    Sample `j` of the result is the Fourier series of the axis, seen as a ring, at the position
    `j * new_pixel_size`, without the frequencies beyond either Nyquist frequency. Where the
    quotient of the pixel sizes is one of whole numbers this is a crop or a padding of the
    transform; other quotients are met as exactly, which no crop of whole samples could.
    """
    num_out = rescaled_side(num_in, pixel_size, new_pixel_size)
    step = new_pixel_size / pixel_size
    # the new Nyquist frequency itself is kept: going finer and back loses nothing
    highest = min(num_in // 2, int(0.5 * num_in / step * (1.0 + 1e-9)))
    order = torch.arange(highest + 1, dtype=torch.float64)
    weights = column_weights(num_in).double()[: highest + 1] / num_in
    there = torch.arange(num_out, dtype=torch.float64) * step
    here = torch.arange(num_in, dtype=torch.float64)
    turn = 2.0 * math.pi / num_in * order
    # cos(a - b) = cos a cos b + sin a sin b makes the sum over frequencies a matrix product
    cosines = (torch.cos(there[:, None] * turn) * weights) @ torch.cos(here[:, None] * turn).T
    sines = (torch.sin(there[:, None] * turn) * weights) @ torch.sin(here[:, None] * turn).T
    return (cosines + sines).float()


def rescale_axis(
    values: Float[Tensor, "..."], dim: int, matrix: Float[Tensor, "out n"]
) -> Float[Tensor, "..."]:
    """Apply a rescaling matrix along one axis; grey values keep their scale."""
    product: Tensor = torch.tensordot(values, matrix.to(values), dims=([dim], [1]))
    return product.movedim(-1, dim)


def rescale(
    volume: Float[Tensor, "z y x"], *, pixel_size: float, new_pixel_size: float
) -> Float[Tensor, "z_new y_new x_new"]:
    """Rescale a volume; each side becomes `round(side * pixel_size / new_pixel_size)`.

    Faces opposite each other are neighbours to a transform: where they differ much, a few voxels
    along them ring.

    Args:
        volume: Density.
        pixel_size: Of the volume, in Å.
        new_pixel_size: Of the result, in Å.

    Raises:
        MetadataError: If a pixel size is not positive, or too large for the volume.
    """
    for dim, side in enumerate(volume.shape):
        matrix = rescaling_matrix(side, pixel_size=pixel_size, new_pixel_size=new_pixel_size)
        volume = rescale_axis(volume, dim, matrix)
    return volume.contiguous()
