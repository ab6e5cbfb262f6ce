from pathlib import Path

import numpy as np

from icelens.core.data.half_sets import dealt_half_sets, num_in_both_halves
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles


def particles_of(half_set: list[int], particle: list[int]) -> Particles:
    rows = len(half_set)
    return Particles(
        stacks=(Path("a.mrcs"),),
        stack=np.zeros(rows, np.int64),
        slice_index=np.arange(rows),
        optics=(OpticsGroup("a", 1.0, 8),),
        half_set=np.asarray(half_set),
        particle=np.asarray(particle),
    )


def test_known_halves_are_kept() -> None:
    half_set = [1, 2, 2, 1, 2]
    assert dealt_half_sets(particles_of(half_set, list(range(5))), seed=3).tolist() == half_set


def test_images_of_a_particle_stay_together() -> None:
    particle = np.repeat(np.arange(40), 3)
    half_set = dealt_half_sets(particles_of([0] * 120, particle.tolist()), seed=3)
    assert set(half_set.tolist()) == {1, 2}
    assert (half_set.reshape(40, 3) == half_set.reshape(40, 3)[:, :1]).all()
    assert (half_set == 1).sum() == 60


def test_a_seed_deals_the_same_again() -> None:
    particles = particles_of([0] * 50, list(range(50)))
    assert (dealt_half_sets(particles, seed=1) == dealt_half_sets(particles, seed=1)).all()
    assert (dealt_half_sets(particles, seed=1) != dealt_half_sets(particles, seed=2)).any()


def test_images_in_both_halves_are_counted() -> None:
    particles = particles_of([1, 2, 1, 2], [0, 1, 2, 3])
    assert num_in_both_halves(particles, particles.half_set) == 0
    twice = particles.take([0, 1, 2, 3, 0])
    assert num_in_both_halves(twice, np.asarray([1, 2, 1, 2, 2])) == 1
