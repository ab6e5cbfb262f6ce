"""Peaks with a dip between them are told from maxima of one top, and stay apart."""

import numpy as np

from icelens.core.volumes.separation import kept_apart, own_radii, separated_pairs

ENDS = np.array([[0.0, 0.0, 2.0], [0.0, 0.0, 8.0]])


def profile(between: float) -> np.ndarray:
    volume = np.full((1, 1, 11), between, np.float16)
    volume[0, 0, [2, 8]] = 0.8, 0.6
    return volume


def pairs(between: float) -> list[list[int]]:
    heights = np.array([0.8, 0.6])
    return separated_pairs(profile(between), ENDS, heights, within_px=9.0).tolist()


def test_dip_separates_and_a_saddle_does_not():
    assert pairs(0.4) == [[0, 1]]
    assert pairs(0.5) == []


def test_far_peaks_are_not_looked_at():
    found = separated_pairs(profile(0.0), ENDS, np.ones(2), within_px=5.0)
    assert found.shape == (0, 2)


def test_radii_reach_half_way_to_separated_peaks_only():
    positions = np.vstack([ENDS, [[0.0, 0.0, 9.0]]])
    assert own_radii(positions, np.array([[0, 1]]), largest_px=5.0).tolist() == [3.0, 3.0, 5.0]


def test_separated_peaks_go_back_where_they_would_meet():
    moved = np.array([[0.0, 0.0, 4.0], [0.0, 0.0, 6.0]])
    back = kept_apart(ENDS, moved, np.array([[0, 1]]), radius=5.0)
    assert back.tolist() == ENDS.tolist()
    assert kept_apart(ENDS, moved, np.empty((0, 2), int), radius=5.0).tolist() == moved.tolist()
