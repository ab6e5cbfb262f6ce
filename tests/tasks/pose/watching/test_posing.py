"""Half sets of files that know none: the same whoever draws, and equally many."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.tasks.pose.watching.posing import half_sets_of


def particles(count: int, **values: object) -> Particles:
    return Particles(
        stacks=(Path("x"),),
        stack=np.zeros(count, int),
        slice_index=np.arange(count),
        optics=(OpticsGroup("a", 1.0, 8),),
        **values,
    )


def test_a_draw_depends_on_the_name_and_the_seed_alone():
    drawn = half_sets_of(particles(50), "a.star", 0)
    assert np.array_equal(drawn, half_sets_of(particles(50), "a.star", 0))
    assert not np.array_equal(drawn, half_sets_of(particles(50), "b.star", 0))
    assert not np.array_equal(drawn, half_sets_of(particles(50), "a.star", 1))
    assert np.bincount(drawn).tolist() == [0, 25, 25]


def test_files_of_one_particle_fill_both_halves():
    drawn = [int(half_sets_of(particles(1), f"{name}.star", 0)[0]) for name in range(200)]
    assert 70 < drawn.count(1) < 130


def test_images_of_a_particle_stay_together():
    shown = np.repeat(np.arange(10), 3)
    drawn = half_sets_of(particles(30, particle=shown), "a.star", 0)
    assert all(len(set(drawn[shown == number])) == 1 for number in range(10))


def test_what_the_file_knows_is_kept():
    known = np.asarray([1, 1, 2, 1])
    assert np.array_equal(half_sets_of(particles(4, half_set=known), "a", 0), known)
    partly = replace(particles(4), half_set=np.asarray([1, 0, 2, 1]))
    with pytest.raises(MetadataError, match="all or none"):
        half_sets_of(partly, "a", 0)
