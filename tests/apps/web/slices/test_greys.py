"""Tests of apps/web/slices/greys.py."""

import numpy as np
import pytest

from icelens.apps.web.slices.greys import HIGHEST_CODE, PERCENTS, codes, greys_of


def test_codes_go_back_to_values_within_half_a_step():
    values = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    found = codes(values, -5.0, 5.0)
    step = 10.0 / (HIGHEST_CODE - 1)
    back = -5.0 + (found.astype(np.float64) - 1) * step
    # float32 holds seven digits of values up to 65535
    np.testing.assert_allclose(back, values, atol=0.6 * step)


def test_code_zero_is_kept_for_what_is_not_finite():
    values = np.asarray([[np.nan, np.inf, -np.inf, -9.0, 9.0, 0.0]], np.float32)
    assert codes(values, -1.0, 1.0).tolist() == [[0, 0, 0, 1, HIGHEST_CODE, 32768]]


def test_eight_bit_values_keep_their_own_steps_although_the_sample_misses_some():
    labels = np.zeros((100, 64, 64), np.uint8)
    labels[3, 5, 5] = 9
    greys = greys_of(labels)
    assert (greys.low, greys.high) == (0.0, 255.0)


def test_the_range_reaches_beyond_the_sample_but_not_to_wild_outliers():
    volume = np.random.default_rng(0).normal(size=(30, 64, 64)).astype(np.float32)
    volume[15, 32, 32] = 1e20
    greys = greys_of(volume)
    assert greys.low < volume.min()
    assert 4.0 < greys.high < 100.0
    assert len(greys.quantiles) == len(PERCENTS)
    assert greys.quantiles[PERCENTS.index(50.0)] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_volume_without_a_finite_value_has_no_quantiles(value):
    assert greys_of(np.full((2, 3, 4), value, np.float32)).quantiles == ()


def test_a_constant_volume_has_a_range_all_the_same():
    greys = greys_of(np.full((2, 3, 4), 7.0, np.float32))
    assert greys.low < 7.0 < greys.high or greys.low <= 7.0 <= greys.high
    assert codes(np.full((1, 1), 7.0, np.float32), greys.low, greys.high)[0, 0] > 0


def test_values_at_the_ends_of_float64_do_not_overflow_into_nonsense():
    volume = np.asarray([[[-1e308, 0.0, 1e308]]])
    greys = greys_of(volume)
    assert np.isfinite([greys.low, greys.high, *greys.quantiles]).all()
