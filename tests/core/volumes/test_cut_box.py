"""Boxes are cut and widened about the centre voxel, without touching a value."""

import pytest
import torch

from icelens.core.volumes.cut_box import cut_box


@pytest.mark.parametrize("box_size", [4, 5, 7, 8, 11, 12])
@pytest.mark.parametrize("shape", [(7, 8, 9), (8, 8, 8)])
def test_centre_voxel_becomes_centre_voxel(shape, box_size):
    volume = torch.randn(shape)
    cube = cut_box(volume, box_size)
    for offset in range(-2, 2):
        there = tuple(side // 2 + offset for side in shape)
        here = (box_size // 2 + offset,) * 3
        assert cube[here] == volume[there]


def test_what_is_added_continues_the_faces():
    volume = torch.full((6, 6, 6), 3.0)
    volume[3, 3, 3] = 100.0
    cube = cut_box(volume, 10)
    assert cube[0, 0, 0] == 3.0
    assert torch.equal(cut_box(cube, 6), volume)
