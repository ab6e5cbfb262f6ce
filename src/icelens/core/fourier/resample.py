"""Bring square images, or an axis, to another sampling and length about their centre."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.shells import column_weights


def centred_resampling(
    num_in: int, num_out: int, *, pixel_size: float, new_pixel_size: float
) -> Float[Tensor, "{num_out} {num_in}"]:
    """Weights that take samples of an axis to those of another pixel size and length.

    Centre pixel `n // 2` falls on centre pixel. Samples are values of the Fourier series of the
    axis without the frequencies beyond either Nyquist frequency, so nothing folds back; those that
    lie outside the old box are 0.

    Args:
        num_in: Samples there are.
        num_out: Samples wanted.
        pixel_size: Of the samples there are, in Å/px.
        new_pixel_size: Of those wanted, in Å/px.
    """
    step = new_pixel_size / pixel_size
    # the new Nyquist frequency itself is kept: going finer and back loses nothing
    highest = min(num_in // 2, int(0.5 * num_in / step * (1.0 + 1e-9)))
    order = torch.arange(highest + 1, dtype=torch.float64)
    weights = column_weights(num_in).double()[: highest + 1] / num_in
    there = (torch.arange(num_out, dtype=torch.float64) - num_out // 2) * step + num_in // 2
    here = torch.arange(num_in, dtype=torch.float64)
    turn = 2.0 * math.pi / num_in * order
    # cos(a - b) = cos a cos b + sin a sin b makes the sum over frequencies a matrix product
    cosines = (torch.cos(there[:, None] * turn) * weights) @ torch.cos(here[:, None] * turn).T
    sines = (torch.sin(there[:, None] * turn) * weights) @ torch.sin(here[:, None] * turn).T
    # a transform sees a ring: without this the samples would be repeated beyond the box
    is_inside = (there > -0.5) & (there < num_in - 0.5)
    return torch.where(is_inside[:, None], cosines + sines, 0.0).float()


def resample_images(
    images: Float[Tensor, "*batch n n"], matrix: Float[Tensor, "m n"]
) -> Float[Tensor, "*batch m m"]:
    """Apply a matrix of `centred_resampling` along both axes."""
    resampled: Tensor = matrix @ images @ matrix.T
    return resampled
