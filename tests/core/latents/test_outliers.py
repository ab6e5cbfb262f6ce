"""Outliers are found in any dimension; a second state is none."""

import numpy as np
import pytest

from icelens.core.latents.outliers import outlier_sigma


@pytest.mark.parametrize("dimension", [1, 2, 8])
def test_share_beyond_the_limit_is_that_of_a_gaussian_in_any_dimension(dimension):
    latent = np.random.default_rng(0).normal(size=(20_000, dimension))
    sigma = outlier_sigma(latent)
    assert (sigma > 2).mean() == pytest.approx(0.0455, abs=0.01)
    assert (sigma > 3).mean() == pytest.approx(0.0027, abs=0.002)


def test_measure_does_not_mind_stretched_and_turned_latents():
    latent = np.random.default_rng(0).normal(size=(500, 3))
    matrix = np.array([[3.0, 1.0, 0.0], [0.0, 0.1, 2.0], [0.0, 0.0, 7.0]])
    assert outlier_sigma(latent @ matrix + 5.0) == pytest.approx(outlier_sigma(latent), abs=1e-6)


def test_junk_far_away_is_out_and_does_not_widen_the_rest():
    rng = np.random.default_rng(0)
    latent = np.concatenate([rng.normal(size=(950, 2)), rng.normal(100.0, 30.0, (50, 2))])
    sigma = outlier_sigma(latent)
    assert (sigma[950:] > 10).all()
    assert (sigma[:950] > 4).mean() < 0.02


def test_second_state_is_no_outlier():
    rng = np.random.default_rng(0)
    latent = np.concatenate([rng.normal(0, 0.1, (800, 2)), rng.normal(5, 0.1, (200, 2))])
    assert outlier_sigma(latent).max() < 6
    assert (outlier_sigma(latent)[800:] > 3).mean() < 0.1


def test_equal_latents_have_no_outlier_but_the_one_that_differs():
    assert outlier_sigma(np.ones((10, 2))).tolist() == [0.0] * 10
    latent = np.ones((30, 2))
    latent[7, 0] = 2.0
    sigma = outlier_sigma(latent)
    assert sigma[7] > 10
    assert sigma[:7].max() == 0
    flat = np.stack([np.linspace(-1, 1, 50), np.zeros(50)], axis=1)
    flat[3, 1] = 0.5
    assert outlier_sigma(flat)[3] > 10


def test_one_particle_is_no_outlier():
    assert outlier_sigma(np.array([[3.0, 4.0]])).tolist() == [0.0]
