"""Latents that follow the microscope are found out; those that do not are left in peace."""

import numpy as np
import pytest

import icelens.core.latents.confounders as confounders_module
from icelens.core.latents.confounders import (
    confounders,
    curve_terms,
    explained_share,
    group_terms,
    turn_terms,
    view_terms,
)


def causes(rng, num_particles):
    direction = rng.normal(size=(num_particles, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return {
        "defocus": curve_terms(rng.uniform(5000, 20000, num_particles)),
        "view": view_terms(direction),
        "in-plane angle": turn_terms(rng.uniform(-180, 180, num_particles)),
        "optics group": group_terms(rng.integers(0, 4, num_particles)),
    }


def test_latents_of_their_own_raise_no_suspicion():
    rng = np.random.default_rng(0)
    found = confounders(rng.normal(size=(400, 3)), causes(rng, 400))
    assert len(found) == 12
    assert not any(each.is_suspicious for each in found)


def test_cause_is_named_with_its_component():
    rng = np.random.default_rng(0)
    known = causes(rng, 500)
    coordinates = rng.normal(size=(500, 2))
    coordinates[:, 1] += 2.0 * known["optics group"][:, 2]
    coordinates[:, 0] += 10.0 * known["defocus"][:, 1]
    suspicious = {
        (c.component, c.cause) for c in confounders(coordinates, known) if c.is_suspicious
    }
    assert suspicious == {(1, "defocus"), (2, "optics group")}


def test_of_very_many_particles_some_are_asked(monkeypatch):
    monkeypatch.setattr(confounders_module, "_MOST_PARTICLES", 100)
    rng = np.random.default_rng(0)
    known = causes(rng, 500)
    found = confounders(known["view"][:, :1], known)
    assert [each.cause for each in found if each.is_suspicious] == ["view"]


def test_share_is_that_of_the_regression():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 5000))
    share, probability = explained_share(x + noise, x[:, None])
    assert share == pytest.approx(0.5, abs=0.03)
    assert probability < 1e-10


@pytest.mark.parametrize("count", [1, 3])
def test_few_particles_and_constant_causes_explain_nothing(count):
    terms = curve_terms(np.ones(count))
    assert explained_share(np.arange(float(count)), terms) == (0.0, 1.0)


def test_small_groups_of_very_many_count_as_one():
    group = np.concatenate([np.arange(80), np.zeros(20, np.int64)])
    terms = group_terms(group)
    assert terms.shape == (100, 50)
    assert (terms.sum(axis=1) == 1).all()
    assert terms[:, 0].sum() == 21
