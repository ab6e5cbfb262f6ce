"""A mixture has as many Gaussians as the latents ask for."""

import numpy as np
import pytest

import icelens.core.latents.mixtures as mixtures_module
from icelens.core.latents.mixtures import gaussian_mixture


def groups(num_groups, each=150):
    rng = np.random.default_rng(2)
    return np.concatenate(
        [rng.normal([6.0 * g, -4.0 * g], [0.5, 1.0], (each, 2)) for g in range(num_groups)]
    )


@pytest.mark.parametrize("num_groups", [1, 3])
def test_number_of_gaussians_is_found(num_groups):
    found = gaussian_mixture(groups(num_groups), most=6)
    assert len(found) == num_groups
    assert min(found.bic, key=found.bic.__getitem__) == num_groups
    assert found.weight == pytest.approx(np.full(num_groups, 1 / num_groups), abs=0.02)


def test_labels_centres_and_probabilities_belong_together():
    latent = groups(2)
    found = gaussian_mixture(latent, most=4)
    for number in (1, 2):
        assert found.centre[number - 1] == pytest.approx(
            latent[found.label == number].mean(axis=0), abs=0.05
        )
    assert found.probability.min() > 0.9


def test_pieces_give_what_the_whole_gives(monkeypatch):
    latent = groups(2)
    whole = gaussian_mixture(latent, most=3)
    monkeypatch.setattr(mixtures_module, "_CHUNK", 7)
    assert (gaussian_mixture(latent, most=3).label == whole.label).all()


@pytest.mark.parametrize("latent", [np.ones((9, 3)), np.ones((1, 2)), np.arange(4.0)[:, None]])
def test_few_or_equal_latents_are_one_gaussian(latent):
    found = gaussian_mixture(latent)
    assert found.label.min() == 1
    assert np.isfinite(found.probability).all()


def test_direction_without_variance_is_kept_in_the_centres():
    latent = np.concatenate([groups(2), np.full((300, 1), 7.0)], axis=1)
    found = gaussian_mixture(latent, most=3)
    assert len(found) == 2
    assert found.centre[:, 2] == pytest.approx(7.0)
