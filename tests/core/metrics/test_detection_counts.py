"""Counting by the rule of the CZII challenge, against the rule's own words, and one to one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.metrics.detection_counts import Counts, count_detections

seeds = st.integers(0, 2**31)
NEAR = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
TWO = np.array([[0.0, 0.0, 0.0], [500.0, 0.0, 0.0]])


def czii_in_words(truth: np.ndarray, found: np.ndarray, distance: float) -> tuple[int, int, int]:
    """Distinct true points with a prediction inside; predictions beyond them; points without."""
    hit = sum(any(np.linalg.norm(t - f) <= distance for f in found) for t in truth)
    return hit, len(found) - hit, len(truth) - hit


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 12), st.integers(0, 12), st.floats(0.1, 2.0))
def test_czii_counts_are_the_rules_words(seed, num_truth, num_found, distance):
    random = np.random.default_rng(seed)
    truth, found = (random.uniform(0, 3, (num, 3)) for num in (num_truth, num_found))
    counts = count_detections(truth, found, distance, "czii")
    assert (counts.true, counts.false, counts.missed) == czii_in_words(truth, found, distance)


def test_four_picks_on_one_of_two_particles():
    counts = count_detections(TWO, NEAR, 30.0, "czii")
    assert counts == Counts(true=1, false=3, missed=1, duplicates=3)
    assert (counts.precision, counts.recall) == (0.25, 0.5)
    assert counts == count_detections(TWO, NEAR, 30.0, "one-to-one")


def test_one_pick_between_two_particles_finds_both_by_czii_and_one_by_one_to_one():
    truth, found = np.array([[0.0, 0, 0], [10.0, 0, 0]]), np.array([[5.0, 0, 0]])
    assert count_detections(truth, found, 6.0, "czii") == Counts(true=2, false=-1)
    assert count_detections(truth, found, 6.0, "one-to-one") == Counts(true=1, missed=1)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 12), st.integers(1, 12), st.sampled_from(["czii", "one-to-one"]))
def test_a_far_false_pick_lowers_precision_only(seed, num_truth, num_found, rule):
    random = np.random.default_rng(seed)
    truth, found = (random.uniform(0, 3, (num, 3)) for num in (num_truth, num_found))
    before = count_detections(truth, found, 0.8, rule)
    after = count_detections(truth, np.concatenate([found, [[99.0, 0, 0]]]), 0.8, rule)
    assert after == before + Counts(false=1)
    assert after.recall == before.recall
    assert after.precision < before.precision or before.true == 0


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 12), st.integers(0, 12), st.sampled_from(["czii", "one-to-one"]))
def test_counts_do_not_depend_on_order(seed, num_truth, num_found, rule):
    random = np.random.default_rng(seed)
    truth, found = (random.uniform(0, 3, (num, 3)) for num in (num_truth, num_found))
    shuffled = count_detections(random.permutation(truth), random.permutation(found), 0.8, rule)
    assert shuffled == count_detections(truth, found, 0.8, rule)


def test_class_without_particles_has_no_score_but_false_picks():
    counts = count_detections(np.empty((0, 3)), NEAR, 30.0, "czii")
    assert counts == Counts(false=4)
    assert (counts.precision, counts.recall, counts.f_beta(4.0)) == (None, None, None)


def test_class_without_picks_scores_zero():
    counts = count_detections(TWO, np.empty((0, 3)), 30.0, "czii")
    assert (counts.precision, counts.recall, counts.f_beta(4.0)) == (0.0, 0.0, 0.0)


def test_f4_of_counts_is_17_pr_over_16_p_plus_r():
    counts = Counts(true=30, false=20, missed=10)
    p, r = 0.6, 0.75
    assert counts.f_beta(4.0) == pytest.approx(17 * p * r / (16 * p + r))
