"""Tests of apps/web/slices/spectra.py."""

import numpy as np
import pytest

from icelens.apps.web.slices.spectra import LARGEST_SIDE, log_power


def test_a_wave_shows_at_its_frequency_on_either_side_of_the_middle():
    x = np.arange(64)
    power = log_power(np.tile(np.cos(2 * np.pi * 16 * x / 64), (64, 1)).astype(np.float32))
    row, column = np.unravel_index(np.argmax(power), power.shape)
    assert row == 32
    assert abs(column - 32) == 16


def test_the_spectrum_of_an_oblong_plane_is_square_so_that_rings_are_round():
    values = np.random.default_rng(0).normal(size=(20, 50)).astype(np.float32)
    assert log_power(values).shape == (50, 50)


def test_of_large_planes_the_middle_is_taken():
    assert log_power(np.ones((8, LARGEST_SIDE + 10), np.float32)).shape == (LARGEST_SIDE,) * 2


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan, np.inf])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 6)])
def test_planes_without_any_contrast_have_a_finite_spectrum(shape, value):
    assert np.isfinite(log_power(np.full(shape, value, np.float32))).all()


def test_a_few_missing_values_do_not_spoil_the_rest():
    values = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    whole = log_power(values)
    values[3, 4] = np.nan
    assert np.corrcoef(whole.ravel(), log_power(values).ravel())[0, 1] > 0.9
