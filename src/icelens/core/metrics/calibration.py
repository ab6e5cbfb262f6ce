"""Whether probabilities mean what they say."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def calibration_error(
    probability: npt.ArrayLike, is_right: npt.ArrayLike, *, num_bins: int = 10
) -> float:
    """Expected calibration error: mean distance of stated probability and share of hits.

    Bins hold equally many samples each, so that none is judged by a handful.

    Args:
        probability: Stated, `(sample,)` in [0, 1].
        is_right: Whether it came true, `(sample,)`.
        num_bins: At most.

    References:
        Guo et al., ICML (2017), eq. 3; equal counts as in Nixon et al., CVPR workshops (2019).
    """
    stated, hits = np.asarray(probability, np.float64), np.asarray(is_right, np.float64)
    if not len(stated):
        return float("nan")
    order = np.argsort(stated, kind="stable")
    parts = np.array_split(order, min(num_bins, len(stated)))
    gaps = [abs(stated[part].mean() - hits[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(stated))
