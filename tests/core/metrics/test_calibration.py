"""Honest probabilities have no calibration error; others have what they are off by."""

import math

import numpy as np
import pytest

from icelens.core.metrics.calibration import calibration_error


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stated = rng.random(count)
    return stated, rng.random(count) < stated


def test_honest_probabilities_have_none() -> None:
    # each bin of 10,000 strays by about half a percent
    assert calibration_error(*drawn(100_000)) < 0.01


@pytest.mark.parametrize("off", [0.2, 0.4])
def test_it_is_how_far_probabilities_are_off(off: float) -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.0, 1.0 - off, 50_000)
    hits = rng.random(50_000) < true
    assert calibration_error(true + off, hits) == pytest.approx(off, abs=0.01)


def test_being_always_right_or_always_wrong_is_the_whole_distance() -> None:
    assert calibration_error([1.0] * 50, [True] * 50) == 0.0
    assert calibration_error([1.0] * 50, [False] * 50) == 1.0
    assert calibration_error([0.25] * 50, [True] * 50) == pytest.approx(0.75)


def test_order_and_number_of_samples_do_not_matter() -> None:
    stated, hits = drawn(1000)
    order = np.random.default_rng(2).permutation(1000)
    assert calibration_error(stated[order], hits[order]) == pytest.approx(
        calibration_error(stated, hits)
    )
    assert 0.0 <= calibration_error(stated[:3], hits[:3]) <= 1.0
    assert math.isnan(calibration_error([], []))
