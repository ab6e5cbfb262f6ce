"""Grey values for the screen: quantiles of a sample, and 16-bit codes over a wide fixed range.

The range is wide enough that contrast is a matter of the browser's lookup table alone; code 0 is
kept for voxels without a finite value.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.apps.web.slices.unpacked import Array, ZarrPlanes

PERCENTS = (
    0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, *(float(p) for p in range(10, 91, 5)),
    95.0, 97.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 100.0,
)  # fmt: skip
"""Percentiles that are told to the browser."""
HIGHEST_CODE = 65535
_SAMPLED_PLANES = 24
_SAMPLED_VALUES = 1_000_000
# Values beyond this many spreads (from the 0.1 to the 99.9 percentile) are drawn as the limit.
_REACH = 4.0
# Larger ones are no densities, and a range about them would not fit float32.
_LARGEST = 1e37


@dataclass(frozen=True)
class Greys:
    """How values become codes.

    Attributes:
        low: Value of code 1.
        high: Value of code 65535.
        quantiles: Values at `PERCENTS`; empty if no sampled voxel is finite.
    """

    low: float
    high: float
    quantiles: tuple[float, ...]


def greys_of(array: Array | ZarrPlanes) -> Greys:
    """The range of a volume, estimated from some of its planes."""
    values = _sample(array)
    values = values[np.abs(values) <= _LARGEST]
    if not len(values):
        return Greys(0.0, 1.0, ())
    found = [float(value) for value in np.percentile(values, PERCENTS)]
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        limits = np.iinfo(array.dtype.name)
        return Greys(float(limits.min), float(limits.max), tuple(found))
    inner_low, inner_high = found[PERCENTS.index(0.1)], found[PERCENTS.index(99.9)]
    spread = inner_high - inner_low or found[-1] - found[0] or abs(found[0]) or 1.0
    # voxels outside the sample may reach a little farther than those in it
    low = max(found[0] - 0.25 * spread, inner_low - _REACH * spread)
    high = min(found[-1] + 0.25 * spread, inner_high + _REACH * spread)
    return Greys(low, high, tuple(found))


def codes(values: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint16]:
    """Codes 1 to 65535 of values from `low` to `high`, 0 of those that are not finite."""
    scale = np.float32((HIGHEST_CODE - 1) / (high - low)) if high > low else np.float32(0)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = (values - np.float32(low)) * scale + np.float32(1.5)
        is_finite = np.isfinite(values)
        steps = np.where(is_finite, np.clip(steps, 1.0, HIGHEST_CODE), 0.0)
    return np.ascontiguousarray(steps, np.float32).astype("<u2")


def _sample(array: Array | ZarrPlanes) -> npt.NDArray[np.float64]:
    """Values of planes all through the volume, each thinned evenly."""
    num_z, num_y, num_x = array.shape
    chosen = np.unique(np.linspace(0, num_z - 1, min(num_z, _SAMPLED_PLANES)).astype(int))
    stride = max(1, round((len(chosen) * num_y * num_x / _SAMPLED_VALUES) ** 0.5))
    first = stride // 2 if min(num_y, num_x) > stride else 0
    parts = [np.asarray(array[int(z)][first::stride, first::stride]).ravel() for z in chosen]
    with np.errstate(over="ignore"):
        return np.concatenate(parts).astype(np.float64)
