"""Picks outside their tomogram are counted, and refused when they are many."""

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError
from icelens.core.volumes.picks_inside import picks_inside

SHAPE, PIXEL_SIZE = (20, 40, 40), 10.0


def picks_at(*position_zyx_px):
    return Picks(np.array(position_zyx_px, float) * PIXEL_SIZE)


def spread(num):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (num, 3)) * (np.array(SHAPE) - 1)


def test_a_pick_on_the_last_voxel_is_inside():
    kept = picks_inside(picks_at((19, 39, 39)), shape=SHAPE, pixel_size=PIXEL_SIZE, name="p")
    assert len(kept) == 1


def test_one_stray_pick_is_left_out():
    picks = picks_at(*spread(200), (25, 5, 5))
    assert len(picks_inside(picks, shape=SHAPE, pixel_size=PIXEL_SIZE, name="p")) == 200


def test_many_stray_picks_are_refused_with_their_number_and_a_place():
    picks = picks_at(*spread(50), *([(25, 5, 5)] * 3))
    with pytest.raises(GeometryError, match=r"p: 3 of 53 .* \(250, 50, 50\) Å of \(200, 400, 400"):
        picks_inside(picks, shape=SHAPE, pixel_size=PIXEL_SIZE, name="p")


def test_voxels_given_as_angstroms_are_told_apart():
    picks = Picks(spread(30))
    with pytest.raises(GeometryError, match="positions are in Å: multiply"):
        picks_inside(picks, shape=SHAPE, pixel_size=PIXEL_SIZE, name="p")


def test_no_picks_are_fine():
    assert len(picks_inside(Picks(np.zeros((0, 3))), shape=SHAPE, pixel_size=10.0, name="p")) == 0
