"""A function of latents is learnt, and its score is what unseen samples say."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.latents.regression import fit_latent_regression


def curved(latent: np.ndarray) -> np.ndarray:
    return np.stack([100 * np.sin(2 * latent[:, 0]), latent[:, 0] * latent[:, 1]], axis=1)


@pytest.fixture
def latent() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((600, 2)) * [1.0, 30.0]


def test_smooth_function_is_found_at_any_scale_of_latents_and_targets(latent):
    model = fit_latent_regression(latent, curved(latent), seed=1)
    assert (model.score > 0.98).all()
    inside = np.random.default_rng(5).uniform(-1, 1, (100, 2)) * [1.0, 30.0]
    rest = model(inside) - curved(inside)
    assert rest.std(0) / curved(inside).std(0) == pytest.approx(np.zeros(2), abs=0.1)


def test_score_of_noise_is_none(latent):
    noise = np.random.default_rng(3).standard_normal((600, 1))
    assert abs(float(fit_latent_regression(latent, noise, seed=1).score[0])) < 0.15


def test_score_is_the_share_that_can_be_known(latent):
    noisy = latent[:, :1] + np.random.default_rng(3).standard_normal((600, 1))
    score = float(fit_latent_regression(latent, noisy, seed=1).score[0])
    assert score == pytest.approx(0.5, abs=0.12)  # half of the variance is noise


def test_constant_targets_and_latents_do_no_harm():
    model = fit_latent_regression(np.zeros((20, 2)), np.full((20, 1), 4.0), seed=0)
    assert model(np.zeros((3, 2))) == pytest.approx(np.full((3, 1), 4.0))
    assert model.score.tolist() == [0.0]


def test_same_seed_same_function(latent):
    first, second = (fit_latent_regression(latent, curved(latent), seed=2)(latent) for _ in "ab")
    assert np.array_equal(first, second)


def test_too_few_samples_are_refused():
    with pytest.raises(GeometryError, match="8 or more"):
        fit_latent_regression(np.zeros((5, 1)), np.zeros((5, 1)), seed=0)
