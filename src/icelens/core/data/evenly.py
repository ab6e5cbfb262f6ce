"""Some of many things, evenly spread over all: what a sample is taken from, or what is shown."""

import numpy as np
import numpy.typing as npt


def evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    """Places of at most `most` of `count` things, ascending; both ends are among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
