"""Greedy exclusion keeps the best and what is far enough from it."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes.exclusion import strongest_apart


def line(*x: float) -> np.ndarray:
    return np.array([[0.0, 0.0, value] for value in x])


def test_chain_of_four_stays_four():
    kept = strongest_apart(line(0, 5, 10, 15), np.ones(4), radius=4.9)
    assert kept.tolist() == [0, 1, 2, 3]


def test_removed_point_removes_nothing():
    kept = strongest_apart(line(0, 3, 6), np.array([0.9, 0.8, 0.7]), radius=4.0)
    assert kept.tolist() == [0, 2]


def test_points_exactly_at_the_radius_both_stay():
    assert len(strongest_apart(line(0, 4), np.ones(2), radius=4.0)) == 2


def test_exclusion_is_a_sphere_not_a_cube():
    corner = np.array([[0.0, 0, 0], [3.0, 3.0, 3.0]])
    assert len(strongest_apart(corner, np.ones(2), radius=4.0)) == 2


def test_result_is_best_first_and_agrees_with_brute_force():
    rng = np.random.default_rng(1)
    points, values = rng.uniform(0, 20, (300, 3)), rng.random(300)
    kept = []
    for index in np.argsort(-values):
        if all(np.linalg.norm(points[index] - points[other]) >= 3 for other in kept):
            kept.append(index)
    assert strongest_apart(points, values, radius=3.0).tolist() == kept


def test_no_points_are_no_points():
    assert len(strongest_apart(np.empty((0, 3)), np.empty(0), radius=1.0)) == 0


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan")])
def test_impossible_radius_is_refused(radius):
    with pytest.raises(GeometryError, match="must be positive"):
        strongest_apart(line(0), np.ones(1), radius=radius)
