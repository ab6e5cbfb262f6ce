"""Curves over the score by hand and by property; thresholds that no score sits on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import GeometryError, MetadataError
from icelens.core.metrics.precision_recall import best_threshold, f_beta, precision_recall

SCORE = np.array([0.9, 0.8, 0.6, 0.3])
IS_TRUE = np.array([True, False, True, False])


def f_of(score: np.ndarray, is_true: np.ndarray, num_truth: int, threshold: float) -> float:
    kept = is_true[score >= threshold]
    return f_beta(kept.mean() if kept.size else 0.0, kept.sum() / num_truth, 4.0)


def test_f_beta_weighs_recall():
    assert f_beta(0.25, 0.5, 4.0) == pytest.approx(17 * 0.125 / (16 * 0.25 + 0.5))
    assert f_beta(0.6, 0.6, 4.0) == pytest.approx(0.6)
    assert f_beta(0.5, 1.0, 4.0) > f_beta(1.0, 0.5, 4.0)
    assert f_beta(0.0, 0.0, 4.0) == 0.0


def test_curve_by_hand():
    curve = precision_recall(SCORE, IS_TRUE, 4)
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.6, 0.3])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 2 / 4])
    np.testing.assert_allclose(curve.recall, [0.25, 0.25, 0.5, 0.5])
    assert curve.average_precision == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)


def test_picks_of_one_score_are_one_point():
    curve = precision_recall(np.ones(4), IS_TRUE, 2)
    assert curve.threshold.tolist() == [1.0]
    assert curve.average_precision == pytest.approx(0.5)


def test_no_picks_have_an_empty_curve_of_area_zero():
    curve = precision_recall(np.empty(0), np.empty(0, bool), 3)
    assert curve.threshold.size == 0
    assert curve.average_precision == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=14),
    st.integers(0, 5),
    st.randoms(),
)
def test_curve_and_threshold_do_not_depend_on_the_order_of_picks(picks, num_unfound, random):
    num_truth = sum(is_true for _, is_true in picks) + num_unfound
    answers = []
    for _ in range(2):
        score = np.array([value for value, _ in picks], np.float64) / 8
        is_true = np.array([value for _, value in picks], bool)
        curve = precision_recall(score, is_true, num_truth)
        answers.append((curve.average_precision, best_threshold(score, is_true, num_truth, 4.0)))
        random.shuffle(picks)
    assert answers[0] == answers[1]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=14),
    st.integers(0, 5),
)
def test_no_other_threshold_does_better(picks, num_unfound):
    score = np.array([value for value, _ in picks], np.float64) / 8
    is_true = np.array([value for _, value in picks], bool)
    num_truth = int(is_true.sum()) + num_unfound
    if not is_true.any():
        assert best_threshold(score, is_true, num_truth, 4.0) == 0.5
        return
    chosen = f_of(score, is_true, num_truth, best_threshold(score, is_true, num_truth, 4.0))
    others = [f_of(score, is_true, num_truth, value) for value in np.linspace(0, 1, 33)]
    assert chosen >= max(others) - 1e-12


def test_threshold_lies_in_the_middle_of_its_gap():
    score = np.array([0.9, 0.8, 0.4, 0.3, 0.2])
    is_true = np.array([True, True, False, False, False])
    assert best_threshold(score, is_true, 2, 4.0) == pytest.approx(0.6)


def test_threshold_that_keeps_all_is_the_lowest_score():
    assert best_threshold(SCORE, np.ones(4, bool), 4, 4.0) == 0.3


def test_threshold_between_neighbouring_floats_keeps_the_true_pick():
    low = 0.7
    high = float(np.nextafter(low, 1.0))
    assert best_threshold(np.array([high, low]), np.array([True, False]), 1, 4.0) == high


def test_threshold_without_a_true_pick_falls_back():
    none = np.empty(0)
    assert best_threshold(none, np.empty(0, bool), 5, 4.0) == 0.5
    assert best_threshold(SCORE, np.zeros(4, bool), 5, 4.0, fallback=0.25) == 0.25
    assert best_threshold(SCORE, np.zeros(4, bool), 0, 4.0) == 0.5


def test_more_true_picks_than_particles_are_refused():
    with pytest.raises(GeometryError, match="no more true than exist"):
        precision_recall(SCORE, IS_TRUE, 1)


def test_score_that_is_no_number_is_refused():
    with pytest.raises(MetadataError, match="not a finite number"):
        best_threshold(np.array([np.inf, 0.5]), np.array([True, False]), 1, 4.0)
