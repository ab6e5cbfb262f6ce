"""Tests of apps/web/slices/planes.py."""

import numpy as np
import pytest

from icelens.apps.web.slices.planes import binned, plane
from icelens.core.errors import GeometryError


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, 7, 9)).astype(np.float32)


def test_planes_are_those_of_the_array_in_the_order_they_are_looked_at(volume):
    assert np.array_equal(plane(volume, "z", 2), volume[2])
    assert np.array_equal(plane(volume, "y", 3), volume[:, 3])
    assert np.array_equal(plane(volume, "x", 4), volume[:, :, 4].T)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_slabs_are_means_about_the_index_and_end_at_the_border(volume, axis):
    number = "zyx".index(axis)
    middle = np.take(volume, [1, 2, 3], number).mean(axis=number)
    edge = np.take(volume, [0, 1], number).mean(axis=number)
    whole = volume.mean(axis=number)
    expected = [each.T if axis == "x" else each for each in (middle, edge, whole)]
    found = [plane(volume, axis, 2, slab=3), plane(volume, axis, 0, slab=3)]
    found.append(plane(volume, axis, volume.shape[number] // 2, slab=21))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("index", [-1, 5, 10**7])
def test_an_index_outside_the_volume_is_refused(volume, index):
    with pytest.raises(GeometryError, match="the volume has 0 to 4"):
        plane(volume, "z", index)


def test_a_plane_that_no_screen_can_show_is_refused_before_it_is_read():
    huge = np.broadcast_to(np.float32(0), (3, 100_000, 100_000))
    with pytest.raises(GeometryError, match="too large to show"):
        plane(huge, "z", 1)


def test_a_volume_of_one_voxel_has_three_planes():
    for axis in "zyx":
        assert plane(np.full((1, 1, 1), 7, np.int16), axis, 0, slab=21).tolist() == [[7.0]]


def test_nan_stays_nan_and_integers_become_floats(volume):
    volume[2, 1, 1] = np.nan
    assert np.isnan(plane(volume, "z", 2, slab=3)[1, 1])
    assert plane(np.full((2, 2, 2), 255, np.uint8), "x", 0, slab=3).max() == 255.0


def test_big_endian_values_are_read_as_numbers(volume):
    assert np.array_equal(plane(volume.astype(">f4"), "y", 1), volume[:, 1])


def test_binning_averages_squares_and_what_is_left_at_the_ends():
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    small, factor = binned(values, 3)
    assert factor == 2
    assert small.tolist() == [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]
    same, factor = binned(values, 5)
    assert factor == 1
    assert same is values
