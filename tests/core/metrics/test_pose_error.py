"""Errors of poses are what was done to them."""

import math

import pytest
import torch

from icelens.core.geometry.rotations import random_rotations, relion_angles_to_matrix
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.metrics.pose_error import angular_error, nearest_equivalent, pose_errors

ROWS = 200


def poses(seed: int = 0) -> torch.Tensor:
    return random_rotations(ROWS, torch.Generator().manual_seed(seed), dtype=torch.float64)


def about(axis: str, degrees: float) -> torch.Tensor:
    angles = {"z": [0.0, 0.0, degrees], "y": [0.0, degrees, 0.0]}[axis]
    return relion_angles_to_matrix(torch.tensor(angles, dtype=torch.float64))


@pytest.mark.parametrize("symmetry", ["C1", "C7", "D2", "T", "O", "I2"])
def test_equivalent_poses_do_not_differ(symmetry):
    operators = symmetry_operators(symmetry).double()
    rotation = poses()
    choice = torch.randint(len(operators), (ROWS,), generator=torch.Generator().manual_seed(1))
    # operators are given in float32
    error = angular_error(rotation, rotation @ operators[choice], operators)
    assert float(error.max()) < 1e-4


def test_error_is_the_least_over_the_group_and_symmetric():
    operators = symmetry_operators("D3").double()
    first, second = poses(0), poses(1)
    error = angular_error(first, second, operators)
    traces = torch.einsum("nji,njk,oki->no", first, second, operators)
    expected = torch.rad2deg(torch.arccos(((traces - 1) / 2).clamp(-1, 1))).min(dim=1).values
    assert torch.allclose(error, expected, atol=1e-4)
    assert torch.allclose(error, angular_error(second, first, operators), atol=1e-4)


def test_small_angles_are_exact():
    rotation = poses()
    turned = about("y", 1e-3) @ rotation
    assert torch.allclose(
        angular_error(rotation, turned, torch.eye(3)[None]),
        torch.full((ROWS,), 1e-3, dtype=torch.float64),
        rtol=1e-4,
    )


def test_in_plane_turn_leaves_the_view_and_a_tilt_moves_it():
    rotation, zero = poses(), torch.zeros(ROWS, 2, dtype=torch.float64)
    group = symmetry_operators("C1")
    options = {"shift_yx_1": zero, "shift_yx_2": zero, "operators": group}
    turned = pose_errors(rotation, about("z", 12.0) @ rotation, **options)
    assert torch.allclose(turned.in_plane, torch.full_like(turned.angle, 12.0), atol=1e-4)
    assert float(turned.view.max()) < 1e-4
    tilted = pose_errors(rotation, about("y", 12.0) @ rotation, **options)
    assert torch.allclose(tilted.view, torch.full_like(tilted.angle, 12.0), atol=1e-4)
    assert float(tilted.in_plane.max()) < 1e-4
    assert torch.allclose(tilted.angle, tilted.view, atol=1e-4)


def test_turn_of_the_reference_about_the_beam_of_each_view_counts_as_in_plane():
    both = pose_errors(
        poses(),
        about("z", 30.0) @ about("y", 20.0) @ poses(),
        shift_yx_1=torch.zeros(ROWS, 2, dtype=torch.float64),
        shift_yx_2=torch.tensor([[3.0, 4.0]], dtype=torch.float64).expand(ROWS, 2),
        operators=torch.eye(3)[None],
    )
    assert torch.allclose(both.view, torch.full_like(both.view, 20.0), atol=1e-4)
    assert torch.allclose(both.in_plane, torch.full_like(both.view, 30.0), atol=1e-4)
    # cos(angle / 2) = cos(view / 2) cos(in_plane / 2)
    expected = 2 * math.degrees(math.acos(math.cos(math.radians(10)) * math.cos(math.radians(15))))
    assert torch.allclose(both.angle, torch.full_like(both.view, expected), atol=1e-4)
    assert torch.allclose(both.shift, torch.full_like(both.view, 5.0))


def test_nearest_equivalent_is_an_equivalent():
    operators = symmetry_operators("O").double()
    nearest = nearest_equivalent(poses(0), poses(1), operators)
    relative = poses(1).mT @ nearest
    distance = (relative[:, None] - operators).flatten(2).norm(dim=2).min(dim=1).values
    assert float(distance.max()) < 1e-5
