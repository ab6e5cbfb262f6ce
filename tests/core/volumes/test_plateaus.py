"""A flat top is one peak at its middle; a shoulder is none; what ran together is parted."""

import numpy as np

from icelens.core.volumes.neighbours import local_maxima
from icelens.core.volumes.plateaus import merge_plateaus


def tops(volume: np.ndarray, widest_px: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    return merge_plateaus(volume, local_maxima(volume, 0.1), widest_px=widest_px)


def ball(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float):
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return np.linalg.norm(grid - np.array(centre), axis=-1) <= radius


def test_flat_ball_is_one_peak_at_its_middle():
    volume = ball((15, 15, 15), (7, 6, 8), 3.0).astype(np.float16)
    positions, heights = tops(volume)
    np.testing.assert_allclose(positions, [[7, 6, 8]])
    assert heights.tolist() == [1.0]


def test_shoulder_of_a_higher_top_is_no_peak():
    volume = np.zeros((3, 3, 12))
    volume[1, 1, 2:9] = 0.5
    volume[1, 1, 9] = 0.7
    positions, heights = tops(volume, widest_px=20.0)
    assert positions.tolist() == [[1, 1, 9]]
    assert heights.tolist() == [0.7]


def test_saturated_particles_that_touch_are_two():
    first, second = (10.0, 10.0, 7.0), (10.0, 10.0, 17.0)
    shape = (21, 21, 25)
    volume = (ball(shape, first, 5.2) | ball(shape, second, 5.2)).astype(np.float32)
    positions, _ = tops(volume, widest_px=8.0)
    found = positions[np.argsort(positions[:, 2])]
    np.testing.assert_allclose(found, [first, second], atol=0.5)  # a digital ball's middle


def test_volume_of_one_value_is_not_many_peaks():
    positions, _ = tops(np.ones((9, 9, 9), np.float32), widest_px=20.0)
    np.testing.assert_allclose(positions, [[4, 4, 4]])


def test_nothing_gives_nothing():
    positions, heights = tops(np.zeros((3, 3, 3)))
    assert positions.shape == (0, 3)
    assert heights.shape == (0,)
