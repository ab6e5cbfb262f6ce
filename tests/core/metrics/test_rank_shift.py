"""Ranks tell whether values tend to lie above others."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.metrics.rank_shift import rank_shift, robust_z

RNG = np.random.default_rng(0)


def test_probability_is_the_share_of_pairs_and_ties_count_half():
    values, reference = RNG.integers(0, 6, 40).astype(float), RNG.integers(0, 5, 30).astype(float)
    pairs = np.sign(values[:, None] - reference) / 2 + 0.5
    assert rank_shift(values, reference).probability == pytest.approx(pairs.mean())


def test_error_is_that_of_sets_that_are_alike():
    found = [rank_shift(RNG.normal(size=30), RNG.normal(size=50)) for _ in range(400)]
    spread = np.std([each.probability for each in found])
    assert spread == pytest.approx(found[0].error, rel=0.1)


def test_robust_z_counts_deviations_from_the_median_and_no_outlier_matters():
    reference = np.concatenate([RNG.normal(3.0, 2.0, 10_000), np.full(100, 1e6)])
    assert robust_z(np.asarray([3.0, 5.0]), reference) == pytest.approx([0, 1], abs=0.08)


def test_without_spread_there_is_no_z():
    assert np.isnan(robust_z(np.ones(2), np.ones(5))).all()


def test_empty_set_is_refused():
    with pytest.raises(GeometryError, match="without values"):
        rank_shift(np.empty(0), np.ones(3))
