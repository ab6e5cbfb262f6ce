"""Distances count by how much particles differ and how well they are known."""

import numpy as np
import pytest

import icelens.core.latents.scaling as scaling_module
from icelens.core.latents.scaling import latent_scaling


def test_thin_direction_is_stretched_and_latents_come_back():
    latent = np.random.default_rng(0).normal(size=(1000, 6)) * [1.0, 1.0, 1.0, 1.0, 1.0, 0.01]
    scaling = latent_scaling(latent)
    width = scaling(latent).std(axis=0)
    assert 0.2 < width[5] / width[0] < 5
    assert scaling.inverse(scaling(latent)) == pytest.approx(latent)


def test_gap_between_groups_stays_as_wide_as_it_is():
    rng = np.random.default_rng(0)
    latent = np.concatenate([rng.normal(0, 0.2, (200, 5)), rng.normal(3, 0.2, (200, 5))])
    scaled = latent_scaling(latent)(latent)
    gap = np.linalg.norm(scaled[:200].mean(axis=0) - scaled[200:].mean(axis=0))
    width = np.linalg.norm(scaled[:200] - scaled[:200].mean(axis=0), axis=1).mean()
    assert gap / width == pytest.approx(3 * 5**0.5 / (0.2 * 4.75**0.5), rel=0.1)


def test_direction_the_model_does_not_use_counts_next_to_nothing():
    rng = np.random.default_rng(0)
    latent = np.stack([rng.normal(size=500), 0.01 * rng.normal(size=500)], axis=1)
    deviation = np.broadcast_to([0.1, 1.0], (500, 2)).copy()
    assert latent_scaling(latent, deviation)(latent).std(axis=0)[1] < 0.02
    deviation[::2] = np.nan
    assert latent_scaling(latent, deviation)(latent).std(axis=0)[1] < 0.02
    assert latent_scaling(latent, np.full((500, 2), np.nan))(latent).std(axis=0)[1] > 0.5


def test_equal_latents_are_left_as_they_are():
    scaling = latent_scaling(np.ones((3, 2)))
    assert scaling(np.array([[1.0, 3.0]])).tolist() == [[0.0, 2.0]]
    two_points = np.repeat([[0.0, 0.0], [1.0, 0.0]], 200, axis=0)
    assert np.isfinite(latent_scaling(two_points)(two_points)).all()


def test_some_of_very_many_are_asked(monkeypatch):
    latent = np.random.default_rng(0).normal(size=(600, 2)) * [4.0, 1.0]
    whole = latent_scaling(latent).matrix
    monkeypatch.setattr(scaling_module, "_ASKED", 100)
    monkeypatch.setattr(scaling_module, "_COUNTED", 400)
    part = latent_scaling(latent).matrix
    assert part / part[0, 0] == pytest.approx(whole / whole[0, 0], abs=0.5)
