"""Power spectrum of a plane: where the missing wedge, Thon rings and the limit of filters show."""

import numpy as np
import numpy.typing as npt

from icelens.apps.web.slices.planes import Plane

LARGEST_SIDE = 1024
"""Of the plane that is transformed, in px; of larger ones the middle."""
_TAPER = 0.08
"""Share of a side over which the plane fades at each end: without, its edges draw a cross."""


def log_power(values: Plane) -> npt.NDArray[np.float32]:
    """Decimal logarithm of the power, square, with frequency 0 at `n // 2` of both axes.

    The plane is padded to a square, so that both axes of the spectrum have one scale: its side is
    `n` px, one px is `1 / (n * pixel_size)` in 1/Å. Voxels without a finite value count as mean.

    Args:
        values: Plane `(rows, columns)`.
    """
    part = _middle(values)
    is_finite = np.isfinite(part)
    mean = float(part[is_finite].mean()) if is_finite.any() else 0.0
    part = np.where(is_finite, part, mean) - mean
    part = part * np.outer(_taper(part.shape[0]), _taper(part.shape[1]))
    side = max(2, part.shape[0], part.shape[1])
    power = np.square(np.abs(np.fft.fft2(part, s=(side, side))))
    # what is not there at all is shown six decades below the strongest
    floor = max(float(power.max()) * 1e-12, float(np.finfo(np.float32).tiny))
    # the mean was taken away: its pixel would be a hole in the middle
    power[0, 0] = power[0, 1]
    return np.asarray(np.fft.fftshift(np.log10(np.maximum(power, floor))), np.float32)


def _middle(values: Plane) -> npt.NDArray[np.float64]:
    starts = [max(0, (side - LARGEST_SIDE) // 2) for side in values.shape]
    rows, columns = (slice(start, start + LARGEST_SIDE) for start in starts)
    return np.asarray(values[rows, columns], np.float64)


def _taper(side: int) -> npt.NDArray[np.float64]:
    """1 in the middle, raised cosines at both ends."""
    width = max(1.0, _TAPER * side)
    distance = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(distance / width, 1.0)))
