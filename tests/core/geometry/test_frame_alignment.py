"""A turn of the whole reference is found whatever else went wrong."""

import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.geometry.frame_alignment import align_frames, origin_offset, without_offset
from icelens.core.geometry.rotations import quaternion_to_matrix, random_rotations
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.metrics.pose_error import angular_error


def jittered(rotation: torch.Tensor, degrees: float, generator: torch.Generator) -> torch.Tensor:
    small = torch.deg2rad(degrees * torch.randn(len(rotation), 3, generator=generator)) / 2
    scalar = torch.ones(len(rotation), 1)
    return quaternion_to_matrix(torch.cat([scalar, small], dim=1)).to(rotation) @ rotation


@pytest.mark.parametrize("symmetry", ["C1", "D2", "O"])
def test_turn_is_found_among_wrong_poses_and_equivalents(symmetry):
    generator = torch.Generator().manual_seed(0)
    operators = symmetry_operators(symmetry).double()
    first = random_rotations(600, generator, dtype=torch.float64)
    turn = random_rotations(1, generator, dtype=torch.float64)[0]
    choice = torch.randint(len(operators), (600,), generator=generator)
    second = jittered(first @ operators[choice] @ turn.mT, 2.0, generator)
    second[:400] = random_rotations(400, generator, dtype=torch.float64)
    found = align_frames(first, second, operators, generator)
    # a frame is as good as one turned by an operator of the group
    error = angular_error(turn[None], found.rotation[None], operators)
    assert float(error) < 0.5  # 2 degrees over the root of 200, along three axes
    right = angular_error(first[400:], second[400:] @ found.rotation, operators)
    assert float(right.median()) < 4.0
    assert found.inliers > 0.33


def test_equal_frames_stay():
    generator = torch.Generator().manual_seed(0)
    rotation = random_rotations(50, generator, dtype=torch.float64)
    found = align_frames(rotation, rotation, torch.eye(3, dtype=torch.float64)[None], generator)
    assert torch.allclose(found.rotation, torch.eye(3, dtype=torch.float64), atol=1e-10)
    assert found.inliers == 1.0


def test_no_particle_is_an_error():
    nothing = torch.zeros(0, 3, 3)
    with pytest.raises(GeometryError, match="no particle in common"):
        align_frames(nothing, nothing, torch.eye(3)[None], torch.Generator())


def test_origin_of_another_map_is_found_and_taken_away():
    generator = torch.Generator().manual_seed(0)
    rotation = random_rotations(300, generator, dtype=torch.float64)
    offset_xyz = torch.tensor([4.0, -7.0, 2.0], dtype=torch.float64)
    moved = (rotation @ offset_xyz)[:, [1, 0]] + 0.5 * torch.randn(300, 2, generator=generator)
    moved[:60] += 40.0
    found = origin_offset(rotation, moved)
    assert torch.allclose(found, offset_xyz, atol=0.3)
    rest = without_offset(moved, rotation, found)[60:]
    assert float(rest.norm(dim=1).median()) < 1.0
