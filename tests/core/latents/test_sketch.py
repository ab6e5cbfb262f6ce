"""A sketch of latents covers them with particles."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.latents import sketch
from icelens.core.latents.sketch import sketch_latents

LATENT = np.random.default_rng(0).standard_normal((3000, 3))


@pytest.mark.parametrize("many", [100, 50_000], ids=["in batches", "at once"])
def test_points_are_particles_and_every_particle_is_with_the_nearest(many, monkeypatch):
    monkeypatch.setattr(sketch, "_MANY", many)
    found = sketch_latents(LATENT, 40, seed=1)
    assert 35 <= len(found) <= 40
    distance = np.linalg.norm(LATENT[:, None] - LATENT[found.place], axis=-1)
    assert np.array_equal(distance.argmin(1), found.nearest)
    assert found.count.sum() == 3000
    assert found.count.min() >= 1


def test_same_seed_same_sketch():
    first, second = (sketch_latents(LATENT, 20, seed=5).place for _ in range(2))
    assert np.array_equal(first, second)


def test_fewer_particles_than_points_are_all_taken():
    found = sketch_latents(LATENT[:7], 20, seed=0)
    assert found.place.tolist() == list(range(7))


def test_particles_that_coincide_are_one_point():
    latent = np.repeat([[0.0], [1.0]], [30, 10], axis=0)
    found = sketch_latents(latent, 5, seed=0)
    assert len(found) == 2
    assert sorted(found.count.tolist()) == [10, 30]


def test_no_particle_is_refused():
    with pytest.raises(GeometryError, match="0 particles"):
        sketch_latents(np.empty((0, 2)), 3, seed=0)
