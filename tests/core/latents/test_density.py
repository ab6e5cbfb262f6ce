"""Density from neighbours follows the true one."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import icelens.core.latents.density as density_module
from icelens.core.latents.density import is_lonely, neighbour_density, typical_neighbours


@pytest.mark.parametrize("counted", [50_000, 500])
def test_density_of_a_gaussian_falls_as_it_should(monkeypatch, counted):
    monkeypatch.setattr(density_module, "_MOST_COUNTED", counted)
    points = np.random.default_rng(0).normal(size=(2000, 2))
    density = neighbour_density(points)
    truth = np.exp(-0.5 * (points**2).sum(axis=1))
    assert spearmanr(density, truth).statistic > 0.85
    inner = truth > 0.1
    slope = np.polyfit(np.log(truth[inner]), np.log(density[inner]), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.15)
    assert np.median(density) == pytest.approx(1.0)


def test_equal_latents_and_few_particles_have_a_density():
    assert neighbour_density(np.zeros((20, 3))).tolist() == [1.0] * 20
    assert neighbour_density(np.zeros((1, 3))).tolist() == [1.0]
    mostly_equal = np.concatenate([np.zeros((20, 1)), [[5.0]]])
    assert neighbour_density(mostly_equal)[-1] == 0.0


def test_number_of_neighbours_grows_with_the_root_and_fits_few_particles():
    assert [typical_neighbours(n) for n in (1, 2, 5, 100, 10**6)] == [1, 1, 2, 10, 50]


@pytest.mark.parametrize("dimension", [1, 3])
def test_lonely_are_those_far_from_all_others(dimension):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(500, dimension)), 100.0 + 30 * np.eye(5, dimension)])
    lonely = is_lonely(neighbour_density(points), dimension)
    assert lonely[500:].all()
    assert lonely[:500].mean() < 0.1
    assert not is_lonely(np.array([1.0, 1.0, 0.0]), dimension).any()
