"""The likeliest class of each voxel, where several have probabilities."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def likeliest(probabilities: Sequence[npt.NDArray[np.floating]]) -> npt.NDArray[np.uint8]:
    """Number of the likeliest class of each voxel, from 1; 0 where background is as likely.

    Args:
        probabilities: One volume `(z, y, x)` for each class; background has what they leave to
            one. Fewer than 256.
    """
    background = np.ones(probabilities[0].shape, np.float32)
    for each in probabilities:
        background -= each
    number, best = np.zeros(background.shape, np.uint8), background
    for place, each in enumerate(probabilities, start=1):
        is_better = each > best
        number[is_better] = place
        best[is_better] = each[is_better]
    return number
