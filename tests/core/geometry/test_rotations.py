import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from icelens.core.geometry.rotations import (
    matrix_to_quaternion,
    matrix_to_relion_angles,
    quaternion_to_matrix,
    random_rotations,
    relion_angles_to_matrix,
    rotation_about_y,
    rotation_distance,
)

angle = st.floats(-180.0, 180.0)


@given(rot=angle, tilt=st.floats(0.0, 180.0), psi=angle)
@settings(max_examples=50, deadline=None)
def test_relion_angles_are_the_transpose_of_scipys_intrinsic_zyz(
    rot: float, tilt: float, psi: float
) -> None:
    angles = torch.tensor([rot, tilt, psi], dtype=torch.float64)
    expected = Rotation.from_euler("ZYZ", [rot, tilt, psi], degrees=True).as_matrix().T
    # float64 rounding of three products
    assert torch.allclose(relion_angles_to_matrix(angles), torch.from_numpy(expected), atol=1e-12)


@given(rot=angle, tilt=st.floats(0.0, 180.0), psi=angle)
@settings(max_examples=50, deadline=None)
def test_angles_survive_the_way_through_a_matrix(rot: float, tilt: float, psi: float) -> None:
    rotation = relion_angles_to_matrix(torch.tensor([rot, tilt, psi], dtype=torch.float64))
    again = relion_angles_to_matrix(matrix_to_relion_angles(rotation))
    # angles are not unique, rotations are; near the poles digits are lost to the square root of eps
    assert float(rotation_distance(rotation, again)) < 1e-5


@pytest.mark.parametrize("tilt", [0.0, 180.0])
def test_poles_leave_all_turning_to_psi(tilt: float) -> None:
    rotation = relion_angles_to_matrix(torch.tensor([20.0, tilt, 35.0]))
    angles = matrix_to_relion_angles(rotation)
    assert float(angles[0]) == 0.0
    assert float(rotation_distance(rotation, relion_angles_to_matrix(angles))) < 0.01


def test_quaternions_and_matrices_are_one() -> None:
    generator = torch.Generator().manual_seed(1)
    rotation = random_rotations(200, generator, dtype=torch.float64)
    quaternion = matrix_to_quaternion(rotation)
    expected = Rotation.from_matrix(rotation.numpy()).as_quat(canonical=True, scalar_first=True)
    assert torch.allclose(quaternion, torch.from_numpy(expected), atol=1e-9)
    assert torch.allclose(quaternion_to_matrix(quaternion), rotation, atol=1e-12)


def test_half_turns_have_a_quaternion() -> None:
    # w = 0: the case where dividing by w fails
    turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    assert torch.allclose(matrix_to_quaternion(turn), torch.tensor([0.0, 1.0, 0.0, 0.0]))


def test_random_rotations_are_proper_and_uniform() -> None:
    rotation = random_rotations(4000, torch.Generator().manual_seed(2))
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(4000), atol=1e-5)
    # Haar: every entry has mean 0 and variance 1/3; 5 standard errors of 4000 draws
    assert float(rotation.mean(0).abs().max()) < 5 * (1 / 3) ** 0.5 / 4000**0.5
    assert torch.allclose((rotation**2).mean(0), torch.full((3, 3), 1 / 3), atol=0.025)
    # density of the angle t is (1 - cos t) / pi, its mean pi/2 + 2/pi = 126.5 degrees
    angle_mean = float(rotation_distance(rotation, torch.eye(3)).mean())
    assert abs(angle_mean - 126.5) < 2.0


def test_distance_counts_degrees_and_resolves_small_ones() -> None:
    turn = rotation_about_y(0.01)
    assert abs(float(rotation_distance(turn, torch.eye(3))) - 0.01) < 1e-4
    assert abs(float(rotation_distance(rotation_about_y(170.0), torch.eye(3))) - 170.0) < 1e-2


def test_stage_moves_the_top_towards_positive_x() -> None:
    top = rotation_about_y(30.0) @ torch.tensor([0.0, 0.0, 1.0])
    assert torch.allclose(top, torch.tensor([0.5, 0.0, 3**0.5 / 2]), atol=1e-6)
