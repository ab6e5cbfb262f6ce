"""What of a volume is drawn."""

import numpy as np

from icelens.core.plots.middle import LARGEST_PICTURE, middle_of


def test_large_volumes_are_drawn_from_their_middle() -> None:
    profile = np.arange(LARGEST_PICTURE + 10, dtype=np.float64)
    shown = middle_of(np.broadcast_to(profile, (2, 3, len(profile))))
    assert shown.shape == (2, 3, LARGEST_PICTURE)
    assert shown.dtype == np.float32
    assert shown[0, 0, 0] == 5.0
    assert middle_of(shown, largest=2).shape == (2, 2, 2)
