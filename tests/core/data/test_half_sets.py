from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.half_sets import dealt_half_sets, half_set_rows, num_in_both_halves
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message, ignore


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


def test_rows_are_those_of_the_halves_and_a_draw_is_said() -> None:
    heard: list[Event] = []
    particles = particles_of([1, 2, 0, 0], [0, 1, 2, 3])
    sets = half_set_rows(particles, Path("a.star"), seed=0, on_event=heard.append)
    assert sorted(np.concatenate([sets[1], sets[2]]).tolist()) == [0, 1, 2, 3]
    assert 0 in sets[1]
    assert 1 in sets[2]
    assert isinstance(heard[0], Message)
    assert "2 of 4 images have no half set" in heard[0].text


def test_known_halves_are_taken_without_a_word() -> None:
    heard: list[Event] = []
    particles = particles_of([1, 2, 2], [0, 1, 2])
    sets = half_set_rows(particles, Path("a.star"), seed=0, on_event=heard.append)
    assert sets[2].tolist() == [1, 2]
    assert heard == []


def test_empty_half_is_refused() -> None:
    with pytest.raises(MetadataError, match="half set 2 is empty"):
        half_set_rows(particles_of([1, 1], [0, 1]), Path("a.star"), seed=0, on_event=ignore)
