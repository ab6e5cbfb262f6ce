"""Mirrors keep the centre voxel, in boxes of even sides too."""

import numpy as np
import pytest

from icelens.core.volumes.mirror import mirrored


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("shape", [(8, 9, 10), (7, 6, 5)])
def test_twice_is_as_before_and_once_moves_no_centre(shape, axis):
    volume = np.random.default_rng(0).normal(size=shape)
    once = mirrored(volume, axis)
    assert np.array_equal(mirrored(once, axis), volume)
    assert not np.array_equal(once, volume)
    centre = tuple(side // 2 for side in shape)
    assert once[centre] == volume[centre]
    step = ("zyx".index(axis) == np.arange(3)).astype(int)
    assert once[tuple(np.add(centre, step))] == volume[tuple(np.subtract(centre, step))]


def test_a_centred_blob_does_not_move():
    axis = (np.arange(12) - 6) ** 2
    blob = np.exp(-(axis[:, None, None] + axis[:, None] + axis) / 4.0)
    for name in ("x", "y", "z"):
        assert np.array_equal(mirrored(blob, name), blob)
