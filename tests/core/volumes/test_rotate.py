"""Rotations of boxes: handed, exact at right angles, uniform over SO(3)."""

import math

import torch

from icelens.core.geometry.rotations import random_rotations
from icelens.core.volumes.rotate import (
    is_right_angle,
    right_angle_rotations,
    rotate,
)


def point_box(n: int, xyz: tuple[int, int, int]) -> torch.Tensor:
    box = torch.zeros(1, n, n, n)
    x, y, z = (c + (n - 1) // 2 for c in xyz)
    box[0, z, y, x] = 1.0
    return box


def test_there_are_24_different_proper_right_angle_rotations():
    rotations = right_angle_rotations()
    assert len({tuple(r.flatten().tolist()) for r in rotations}) == 24
    assert torch.equal(rotations[0], torch.eye(3))
    assert torch.allclose(torch.linalg.det(rotations), torch.ones(24))


def test_rotation_takes_reference_to_image_on_xyz():
    for rotation in right_angle_rotations():
        expected = (rotation @ torch.tensor([1.0, 2.0, 3.0])).round().int().tolist()
        rotated = rotate(point_box(11, (1, 2, 3)), rotation[None])
        assert torch.equal(rotated, point_box(11, tuple(expected)))


def test_interpolation_agrees_with_moved_voxels_at_right_angles():
    boxes = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    for rotation in right_angle_rotations():
        nearly = rotation @ rotation_about_z(2e-6)
        assert not is_right_angle(nearly + 3e-6)
        # half a voxel times 2e-6 rad and float32 coordinates
        assert torch.allclose(
            rotate(boxes, rotation[None]), rotate(boxes, (rotation + 3e-6)[None]), atol=2e-3
        )


def rotation_about_z(angle: float) -> torch.Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def test_rotating_there_and_back_keeps_a_smooth_density():
    n = 32
    axis = torch.arange(n) - (n - 1) / 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    box = torch.exp(-(((x - 3) ** 2) / 18 + (y + 2) ** 2 / 32 + z**2 / 50))[None]
    rotation = random_rotations(1, torch.Generator().manual_seed(3))
    back = rotate(rotate(box, rotation), rotation.transpose(1, 2))
    # each pass adds up to 1/4 voxel^2 to the variances 9, 16, 25: 3 % of the peak, more on slopes
    assert (back - box).abs().max() < 0.1
