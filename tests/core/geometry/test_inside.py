"""Positions outside are counted, and positions in voxels are recognised."""

import numpy as np
import pytest

from icelens.core.errors import MetadataError
from icelens.core.geometry.inside import (
    is_inside,
    looks_like_voxels,
    refuse_many_outside,
    refuse_voxels,
)

SHAPE = (20, 100, 100)


def test_a_volume_reaches_half_a_voxel_beyond_the_centres_of_its_outermost():
    places = np.array([[-5.0, 0, 0], [-5.1, 0, 0], [194.9, 0, 0], [195.0, 0, 0]])
    found = is_inside(places, shape=SHAPE, pixel_size=10.0)
    assert found.tolist() == [True, False, True, False]


def test_positions_that_count_voxels_are_recognised():
    voxels = np.random.default_rng(0).uniform(0, 19, (10, 3))
    assert looks_like_voxels(voxels, shape=SHAPE, pixel_size=10.0)
    assert not looks_like_voxels(10 * voxels, shape=SHAPE, pixel_size=10.0)
    # too few picks, or voxels too small, to tell
    assert not looks_like_voxels(voxels[:4], shape=SHAPE, pixel_size=10.0)
    assert not looks_like_voxels(voxels, shape=SHAPE, pixel_size=1.5)


def test_a_few_outside_are_told_and_many_are_refused():
    assert refuse_many_outside("p.star", {"ribosome in TS_1": 0}, 10) == ""
    told = refuse_many_outside("p.star", {"a": 1}, 100)
    assert told == "p.star: 1 of 100 picks lie outside their tomogram (1 of a) and are left out"
    with pytest.raises(MetadataError, match=r"^p.star: 3 of 100 .* \(2 of b, 1 of a\); more than"):
        refuse_many_outside("p.star", {"a": 1, "b": 2, "c": 0}, 100)


def test_positions_in_voxels_are_refused_with_the_remedy() -> None:
    places = np.random.default_rng(0).uniform(0, 30, (9, 3))
    with pytest.raises(MetadataError, match=r"^here: all 9 positions lie below .* multiply them$"):
        refuse_voxels("here", places, shape=(32, 48, 48), pixel_size=10.0)
    refuse_voxels("here", places * 10, shape=(32, 48, 48), pixel_size=10.0)
