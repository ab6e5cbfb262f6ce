"""Which samples of an image's half transform lie within a radius, and where in the plane."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

SLACK = 1e-4
"""Relative; turned vectors are as long as before but for rounding."""


@dataclass(frozen=True, eq=False)
class Disc:
    """Samples of a square image's half transform within a radius.

    Attributes:
        index: Place of each in the flattened `(y, x_half)`.
        frequency_xy: In cycles per box, whole numbers, x first.
        share: Part of a Friedel pair that each stands for: a half where the mate is stored too
            (column zero, and the Nyquist column of an even box), else one.
        radius: Of the furthest sample.
    """

    index: Int[Tensor, " sample"]
    frequency_xy: Float[Tensor, "2 sample"]
    share: Float[Tensor, " sample"]
    radius: float


@lru_cache(maxsize=16)
def disc(
    box_size: int,
    max_radius: float,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Disc:
    """Samples no further than `max_radius` cycles per box, nor than Nyquist, from zero."""
    y = torch.fft.fftfreq(box_size, d=1.0 / box_size, dtype=torch.float64)
    x = torch.fft.rfftfreq(box_size, d=1.0 / box_size, dtype=torch.float64)
    radius = torch.hypot(y[:, None], x)
    is_inside = radius <= min(max_radius * (1.0 + SLACK), box_size // 2)
    row, column = is_inside.nonzero().unbind(1)
    is_paired = (column == 0) | (2 * column == box_size)
    share = torch.where(is_paired, 0.5, 1.0)
    frequency_xy = torch.stack([x[column], y[row]])
    return Disc(
        (row * len(x) + column).to(device),
        frequency_xy.to(device, dtype),
        share.to(device, dtype),
        float(radius[is_inside].max()),
    )
