"""Peaks of class maps become picks in Å of the tomogram, by probability or by offsets."""

import numpy as np
import pytest
from blob_project import blob

from icelens.core.data.pickable import PickableObject
from icelens.core.io.copick.keys import Features
from icelens.tasks.pick.peaks_of_maps import picks_of_maps

BIG, SMALL = PickableObject("big", 1, 60.0), PickableObject("small", 2, 40.0)
SHAPE = (16, 20, 24)
PLACES = {"big": [(5.0, 6.0, 7.0), (11.0, 14.0, 15.0)], "small": [(8.0, 10.0, 19.0)]}
THRESHOLDS = {"big": 0.3, "small": 0.3}
SHIFT = 5.0


def maps() -> Features:
    """Probabilities at half resolution."""
    channels = []
    for name in ("big", "small"):
        channel = np.zeros(SHAPE)
        for height, place in zip((0.9, 0.5), PLACES[name], strict=False):
            channel += height * blob(SHAPE, place, 1.2)
        channels.append(channel)
    attributes = {"objects": ["big", "small"]}
    return Features(np.stack(channels).astype(np.float16), 20.0, (SHIFT,) * 3, attributes)


def test_peaks_are_found_where_they_are() -> None:
    picks = picks_of_maps(maps(), (BIG, SMALL), THRESHOLDS, run="TS_1")
    assert picks.species == ("big", "big", "small")
    assert set(picks.tomogram_id) == {"TS_1"}
    expected = np.array([*PLACES["big"], *PLACES["small"]])
    # float16 and the edge of the ball that makes a centroid: a tenth of a voxel
    np.testing.assert_allclose(picks.position_zyx, expected * 20.0 + SHIFT, atol=2.0)
    np.testing.assert_allclose(picks.score, [0.9, 0.5, 0.9], atol=1e-3)


def test_each_object_has_its_own_threshold_and_others_are_not_looked_for() -> None:
    high = {"big": 0.6, "small": 0.95}
    assert picks_of_maps(maps(), (BIG, SMALL), high, run="").species == ("big",)
    assert picks_of_maps(maps(), (SMALL,), THRESHOLDS, run="").species == ("small",)


def test_no_peak_is_no_pick() -> None:
    picks = picks_of_maps(maps(), (BIG, SMALL), dict.fromkeys(THRESHOLDS, 0.99), run="TS_1")
    assert len(picks) == 0
    assert len(picks_of_maps(maps(), (), {}, run="TS_1")) == 0


def test_picks_of_one_object_keep_a_distance_that_grows_with_its_radius() -> None:
    distance = float(20.0 * np.linalg.norm(np.subtract(*PLACES["big"])))
    assert (
        len(picks_of_maps(maps(), (PickableObject("big", 1, distance),), THRESHOLDS, run="")) == 2
    )
    wide = PickableObject("big", 1, 2 * distance)
    assert picks_of_maps(maps(), (wide,), THRESHOLDS, run="").score == pytest.approx(
        [0.9], abs=1e-3
    )
