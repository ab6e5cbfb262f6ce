"""Principal components find the directions latents were drawn along."""

import numpy as np
import pytest

from icelens.core.latents.principal_components import principal_components


def drawn(num_particles=4000):
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return rng.normal(size=(num_particles, 3)) * [3.0, 1.0, 0.2] @ turn + [5.0, 0.0, 1.0], turn


def test_axes_and_their_shares_are_those_of_the_draw():
    latent, turn = drawn()
    found = principal_components(latent)
    assert np.abs((found.axes * turn).sum(axis=1)) == pytest.approx(1.0, abs=2e-3)
    assert found.explained == pytest.approx(np.array([9.0, 1.0, 0.04]) / 10.04, abs=0.02)
    assert (found.axes[np.arange(3), np.abs(found.axes).argmax(axis=1)] > 0).all()


def test_coordinates_and_latents_are_inverse_and_variances_are_those_of_the_coordinates():
    latent, _ = drawn(200)
    found = principal_components(latent)
    coordinates = found.coordinates(latent)
    assert found.latents(coordinates) == pytest.approx(latent)
    assert coordinates.var(axis=0, ddof=1) == pytest.approx(found.variance)


def test_latents_that_are_all_equal_explain_nothing():
    found = principal_components(np.ones((4, 2)))
    assert found.explained.tolist() == [0.0, 0.0]
    assert np.isfinite(found.coordinates(np.ones((4, 2)))).all()


def test_one_dimension_and_one_particle_are_enough():
    assert principal_components(np.array([[1.0], [3.0]]), 5).explained.tolist() == [1.0]
    assert len(principal_components(np.array([[1.0, 2.0]]), 1)) == 1
