"""Poses come from where they shall."""

import numpy as np

from icelens.core.simulate.poses import random_half_sets, random_poses


def test_uniform_poses_have_no_preferred_axis():
    rotation = random_poses(20000, np.random.default_rng(0))
    assert np.allclose(rotation @ np.swapaxes(rotation, 1, 2), np.eye(3))
    assert np.allclose(np.linalg.det(rotation), 1.0)
    # Haar: every entry has mean 0 and variance 1/3
    assert np.abs(rotation.mean(axis=0)).max() < 0.02
    assert np.abs((rotation**2).mean(axis=0) - 1 / 3).max() < 0.01


def test_preferred_views_gather_round_a_direction_whatever_the_in_plane_angle():
    rotation = random_poses(3000, np.random.default_rng(0), num_views=1, view_spread=5.0)
    views = rotation[:, 2]
    centre = views.mean(axis=0) / np.linalg.norm(views.mean(axis=0))
    angle = np.rad2deg(np.arccos(np.clip(views @ centre, -1, 1)))
    # two Gaussian angles of 5 degrees: their root mean square is 7.07
    assert abs(np.sqrt((angle**2).mean()) - 7.07) < 0.2
    in_plane = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    assert abs(np.exp(1j * in_plane).mean()) < 0.1


def test_several_preferred_views_are_seen_about_equally():
    rotation = random_poses(3000, np.random.default_rng(0), num_views=3, view_spread=0.0)
    _, counts = np.unique(rotation[:, 2].round(6), axis=0, return_counts=True)
    assert len(counts) == 3
    assert counts.min() > 900


def test_half_sets_are_even_and_mixed():
    half = random_half_sets(1001, np.random.default_rng(0))
    assert sorted(set(half.tolist())) == [1, 2]
    assert abs(int((half == 1).sum()) - 500) <= 1
    assert 0.3 < float((half[:100] == 1).mean()) < 0.7
