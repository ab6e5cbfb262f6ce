"""Local maxima agree with a dense maximum filter, at faces, beside NaN and in any slab."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from icelens.core.volumes import neighbours
from icelens.core.volumes.neighbours import equal_pairs, local_maxima


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7, 8, 9), (1, 5, 6), (2, 1, 1)])
def test_maxima_are_those_of_a_maximum_filter(dtype, shape):
    volume = np.random.default_rng(0).random(shape).astype(dtype)
    highest = maximum_filter(volume.astype(float), 3)
    expected = (volume.astype(float) == highest) & (volume >= dtype(0.5))
    assert local_maxima(volume, 0.5).tolist() == np.flatnonzero(expected).tolist()


def test_slabs_change_nothing(monkeypatch):
    volume = np.random.default_rng(0).random((12, 5, 6))
    whole = local_maxima(volume, 0.0)
    monkeypatch.setattr(neighbours, "_SLAB", 60)
    assert local_maxima(volume, 0.0).tolist() == whole.tolist()


def test_nan_is_no_maximum_and_hides_none():
    volume = np.zeros((3, 3, 4), np.float32)
    volume[1, 1, 1], volume[1, 1, 2] = 0.9, np.nan
    assert local_maxima(volume, 0.5).tolist() == [1 * 12 + 1 * 4 + 1]


def test_threshold_is_met_in_half_precision():
    volume = np.zeros((3, 3, 3), np.float16)
    volume[1, 1, 1] = 0.3  # stored as 0.30005
    assert len(local_maxima(volume, float(volume[1, 1, 1]))) == 1


def test_equal_neighbours_are_seen_from_both_sides():
    volume = np.array([[[1.0, 1.0, 0.0]]])
    pairs = {
        (int(number), int(other))
        for numbers, others in equal_pairs(volume, np.array([0, 1]))
        for number, other in zip(numbers, others, strict=True)
    }
    assert pairs == {(0, 1), (1, 0)}
