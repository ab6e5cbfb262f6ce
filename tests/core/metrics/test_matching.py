"""Pairs are one to one, as many as possible, and the closest; against brute force."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import GeometryError, MetadataError
from icelens.core.metrics.matching import close_pairs, match_points, true_by_score

seeds = st.integers(0, 2**31)
small = st.integers(0, 5)


def points(seed: int, num: int, side: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, side, (num, 3))


def on_a_line(*z: float) -> np.ndarray:
    return np.array([[value, 0.0, 0.0] for value in z]).reshape(-1, 3)


def brute_force(truth: np.ndarray, found: np.ndarray, distance: float) -> tuple[int, float]:
    """Most pairs, and the least sum of their distances, over every one-to-one pairing."""
    apart = np.linalg.norm(truth[:, None] - found[None], axis=-1)
    for size in range(min(len(truth), len(found)), 0, -1):
        sums = [
            sum(apart[i, j] for i, j in zip(rows, columns, strict=True))
            for rows in combinations(range(len(truth)), size)
            for columns in permutations(range(len(found)), size)
            if all(apart[i, j] <= distance for i, j in zip(rows, columns, strict=True))
        ]
        if sums:
            return size, min(sums)
    return 0, 0.0


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 4), small, st.floats(0.3, 3.0))
def test_matching_is_the_best_of_all_pairings(seed, num_truth, num_found, distance):
    truth, found = points(seed, num_truth), points(seed + 1, num_found)
    matching = match_points(truth, found, distance)
    size, total = brute_force(truth, found, distance)
    assert len(matching) == size
    assert np.linalg.norm(matching.error_zyx, axis=1).sum() == pytest.approx(total)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 40), st.integers(0, 40))
def test_matching_never_exceeds_either_count_and_uses_no_point_twice(seed, num_truth, num_found):
    truth, found = points(seed, num_truth), points(seed + 1, num_found)
    matching = match_points(truth, found, 0.6)
    assert len(matching) <= min(num_truth, num_found)
    assert len(set(matching.truth.tolist())) == len(set(matching.found.tolist())) == len(matching)
    error = found[matching.found] - truth[matching.truth]
    np.testing.assert_array_equal(matching.error_zyx, error)
    assert (np.linalg.norm(error, axis=1) <= 0.6 + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 20), st.integers(0, 20))
def test_matching_does_not_depend_on_the_order_of_points(seed, num_truth, num_found):
    random = np.random.default_rng(seed)
    truth, found = points(seed, num_truth), points(seed + 1, num_found)
    shuffled = match_points(random.permutation(truth), random.permutation(found), 0.7)
    straight = match_points(truth, found, 0.7)
    apart = [np.sort(np.linalg.norm(m.error_zyx, axis=1)) for m in (straight, shuffled)]
    np.testing.assert_allclose(*apart)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 12), st.integers(0, 12))
def test_first_picks_by_score_hold_as_many_true_ones_as_can_be_paired(seed, num_truth, num_found):
    truth, found = points(seed, num_truth), points(seed + 1, num_found)
    score = np.random.default_rng(seed + 2).permutation(num_found) / 10.0
    is_true = true_by_score(truth, found, score, 0.8)
    order = np.argsort(-score)
    for k in range(num_found + 1):
        first = order[:k]
        assert is_true[first].sum() == len(match_points(truth, found[first], 0.8))


def test_a_closer_pick_does_not_leave_another_without_its_particle():
    # The greedy choice of the closest pair (4 with 5) would leave 0 and 9 unpaired.
    matching = match_points(on_a_line(0, 5), on_a_line(4, 9), 4.0)
    assert matching.found.tolist() == [0, 1]


def test_the_surer_of_two_picks_on_a_particle_is_true():
    is_true = true_by_score(on_a_line(0), on_a_line(1, 2), np.array([0.2, 0.9]), 5.0)
    assert is_true.tolist() == [False, True]


def test_of_equally_sure_picks_the_closer_is_true():
    is_true = true_by_score(on_a_line(0), on_a_line(2, 1), np.ones(2), 5.0)
    assert is_true.tolist() == [False, True]


def test_the_limit_itself_counts():
    truth = np.array([[962.9369, 1651.7053, 275.2187]])
    for shift in np.eye(3) * 30.0:
        assert len(match_points(truth, truth + shift, 30.0)) == 1
        assert len(match_points(truth, truth + 1.001 * shift, 30.0)) == 0


def test_nothing_pairs_with_nothing():
    none = np.empty((0, 3))
    assert len(match_points(none, none, 1.0)) == 0
    assert match_points(none, points(0, 3), 1.0).error_zyx.shape == (0, 3)
    assert true_by_score(none, points(0, 3), np.ones(3), 1.0).tolist() == [False] * 3
    assert true_by_score(points(0, 3), none, np.empty(0), 1.0).shape == (0,)


def test_a_crowd_on_one_particle_is_matched_without_recursion():
    crowd = np.zeros((1500, 3))
    assert true_by_score(crowd, crowd[:1200], np.ones(1200), 1.0).all()


@pytest.mark.parametrize("distance", [0.0, -1.0, np.nan, np.inf])
def test_impossible_distance_is_refused(distance):
    with pytest.raises(GeometryError, match="expected more than 0"):
        close_pairs(points(0, 1), points(0, 1), distance)


def test_score_that_is_no_number_is_refused():
    with pytest.raises(MetadataError, match="1 of 2 picks have a score that is not a finite"):
        true_by_score(points(0, 1), points(0, 2), np.array([1.0, np.nan]), 1.0)
