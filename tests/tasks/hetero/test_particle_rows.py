"""Images of particles: together, lowest dose first, those of no weight left out."""

from dataclasses import replace

import numpy as np
import pytest
from hetero_world import random_particles

from icelens.tasks.hetero.particle_rows import particle_rows


def test_every_image_belongs_to_its_particle_in_the_order_of_appearance() -> None:
    particles = random_particles(6, tilts=3)
    shuffled = particles.take(np.random.default_rng(0).permutation(18))
    rows = particle_rows(shuffled, tilts=0, seed=0)
    seen = list(dict.fromkeys(shuffled.particle.tolist()))
    assert rows.particle.tolist() == seen
    for place, number in enumerate(seen):
        own, owner = rows.of(place)
        assert set(own) == set(np.flatnonzero(shuffled.particle == number))
        assert (owner == 0).all()
        assert rows.first[place] == np.flatnonzero(shuffled.particle == number)[0]
    both, owner = rows.of([4, 1])
    assert (shuffled.particle[both] == np.asarray(seen)[[4, 1]][owner]).all()


def test_tilts_are_those_of_the_lowest_dose() -> None:
    dose = np.tile([30.0, 5.0, 80.0, 12.0], 5)
    particles = replace(random_particles(5, tilts=4), b_factor=dose)
    rows = particle_rows(particles, tilts=2, seed=0)
    for place in range(5):
        own, _ = rows.of(place)
        assert (own - 4 * place).tolist() == [1, 3]
    undosed = particle_rows(random_particles(5, tilts=4), tilts=2, seed=0)
    assert (undosed.rows % 4).tolist() == [0, 1] * 5


def test_images_of_no_weight_are_left_out_but_no_particle_is() -> None:
    weight = np.ones(12)
    weight[[0, 5]] = 0.0
    weight[9:] = 0.0
    rows = particle_rows(replace(random_particles(4, tilts=3), weight=weight), tilts=0, seed=0)
    assert [rows.of(place)[0].tolist() for place in range(4)] == [[1, 2], [3, 4], [6, 7, 8], [9]]
    assert len(rows) == 4
    few = particle_rows(replace(random_particles(4, tilts=3), weight=weight), tilts=2, seed=0)
    assert [few.of(place)[0].tolist() for place in range(4)] == [[1, 2], [3, 4], [6, 7], [9]]


@pytest.mark.parametrize("tilts", [0, 1, 7])
def test_half_sets_go_by_particle(tilts: int) -> None:
    particles = replace(random_particles(9, tilts=3), half_set=np.zeros(27, np.int64))
    rows = particle_rows(particles, tilts=tilts, seed=4)
    assert sorted(np.bincount(rows.half_set).tolist()) == [0, 4, 5]
    again = particle_rows(particles, tilts=0, seed=4)
    assert np.array_equal(again.half_set, rows.half_set)
