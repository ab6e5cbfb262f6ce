"""Latents at rest are told from latents that move."""

import numpy as np
import pytest

import icelens.core.latents.convergence as convergence_module
from icelens.core.latents.convergence import epoch_change, kept_neighbours


def latents(num_particles=300):
    return np.random.default_rng(0).normal(size=(num_particles, 3))


def test_latents_at_rest_keep_everything():
    found = epoch_change(latents(), latents(), 5)
    assert found.kept_neighbours == 1.0
    assert found.shift.max() == 0
    assert found.shared_direction == 0


def test_turned_and_stretched_space_keeps_its_neighbours():
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    assert kept_neighbours(latents(), 3.0 * latents() @ turn) == pytest.approx(1.0)


def test_drift_as_a_whole_is_told_from_moves_of_each():
    drift = epoch_change(latents(), latents() + np.array([1.0, 0, 0]), 2)
    assert drift.shared_direction == pytest.approx(1.0)
    assert drift.shift == pytest.approx(1.0 / np.sqrt(3), rel=0.1)
    noise = np.random.default_rng(2).normal(size=(300, 3))
    each = epoch_change(latents(), latents() + noise, 2)
    assert each.shared_direction < 0.15
    assert each.kept_neighbours < 0.6


@pytest.mark.parametrize("limit", [50, 100])
def test_some_of_very_many_are_asked(monkeypatch, limit):
    monkeypatch.setattr(convergence_module, "_ASKED", limit)
    monkeypatch.setattr(convergence_module, "_COUNTED", 100)
    assert kept_neighbours(latents(), latents()) == 1.0


def test_two_particles_have_no_neighbours_to_keep():
    assert np.isnan(kept_neighbours(latents(2), latents(2)))
    assert epoch_change(np.zeros((3, 1)), np.zeros((3, 1)), 1).shift.tolist() == [0, 0, 0]
