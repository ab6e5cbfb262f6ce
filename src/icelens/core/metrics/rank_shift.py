"""Whether the values of one set tend to lie above those of another, by ranks alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]

_TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation, for normal values."""


@dataclass(frozen=True)
class RankShift:
    """How two sets of values lie to each other.

    Attributes:
        probability: That a value of the first set exceeds one of the second; ties count half.
        error: Standard deviation that it has if both sets are alike, about 0.5.
    """

    probability: float
    error: float


def rank_shift(values: Floats, reference: Floats) -> RankShift:
    """Compare values with others.

    Args:
        values: `(value,)`.
        reference: `(other,)`.

    Raises:
        GeometryError: If one of the sets is empty.

    References:
        Mann & Whitney, Ann. Math. Stat. 18 (1947) 50.
    """
    if not len(values) or not len(reference):
        raise GeometryError("a set without values cannot be compared with another")
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, "left")
    not_above = np.searchsorted(ordered, values, "right")
    share = float((below + not_above).mean()) / (2.0 * len(reference))
    num = len(values) + len(reference) + 1
    return RankShift(share, float(np.sqrt(num / (12.0 * len(values) * len(reference)))))


def robust_z(values: Floats, reference: Floats) -> Floats:
    """Values in robust standard deviations of others from their median; nan without spread."""
    middle = float(np.median(reference))
    spread = _TO_DEVIATION * float(np.median(np.abs(reference - middle)))
    if spread <= 0:
        return np.full(len(values), np.nan)
    return np.asarray((values - middle) / spread)
