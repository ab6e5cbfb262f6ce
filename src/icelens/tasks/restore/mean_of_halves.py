"""Both halves as one density: less noise to take out, one pass instead of two."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from icelens.core.data.volume import Volume
from icelens.core.io.slabs import release_pages, slabs
from icelens.tasks.restore.crops import Standardised

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MeanOfHalves:
    """Reads as the mean of the standardised halves, stretched to unit variance again.

    The network then meets values of the spread it was trained on, with half the noise power. On
    simulated tomograms that gives what four passes with the halves give, in two (LOG.md).
    """

    even: Standardised
    odd: Standardised

    @property
    def volume(self) -> Volume:
        """Sampling and shape, those of the even half."""
        return self.even.volume

    @cached_property
    def gain(self) -> float:
        """One over the standard deviation of the mean of the standardised halves."""
        count, squares = 0, 0.0
        for part in slabs(self.volume.shape):
            planes = (part.stop - part.start, *self.volume.shape[1:])
            mean = self._mean([part.start, 0, 0], planes)
            count += mean.size
            squares += float(np.sum(np.square(mean, dtype=np.float64)))
            release_pages(self.even.volume.array)
            release_pages(self.odd.volume.array)
        return float(np.sqrt(count / squares))

    def cut(self, starts: Sequence[int], box: tuple[int, int, int]) -> Array:
        """A box of the stretched mean; mirrored where it leaves the volume."""
        return self._mean(starts, box) * np.float32(self.gain)

    def restored(self, values: Array) -> Array:
        """Values back in the mean grey scale of the halves."""
        plain = values / np.float32(self.gain)
        return (self.even.restored(plain) + self.odd.restored(plain)) / np.float32(2)

    def _mean(self, starts: Sequence[int], box: tuple[int, int, int]) -> Array:
        return (self.even.cut(starts, box) + self.odd.cut(starts, box)) / np.float32(2)
