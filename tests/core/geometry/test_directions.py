"""Rotations towards a direction are rotations, take z there, and turn no more than they must."""

import numpy as np
import pytest
import torch

from icelens.core.geometry.directions import rotations_towards
from icelens.core.geometry.rotations import matrix_to_relion_angles


def test_z_goes_to_the_direction_by_the_shortest_turn():
    direction = np.random.default_rng(0).standard_normal((50, 3))
    rotation = rotations_towards(direction)
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    np.testing.assert_allclose(rotation @ [0, 0, 1], unit, atol=1e-12)
    unity = np.broadcast_to(np.eye(3), rotation.shape)
    np.testing.assert_allclose(rotation @ rotation.swapaxes(1, 2), unity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0)
    angle = np.arccos((np.trace(rotation, axis1=1, axis2=2) - 1) / 2)
    np.testing.assert_allclose(angle, np.arccos(unit[:, 2]), atol=1e-7)


def test_up_and_down_differ():
    up, down = rotations_towards(np.array([[0.0, 0.0, 2.0], [0.0, 0.0, -2.0]]))
    np.testing.assert_allclose(up, np.eye(3))
    np.testing.assert_allclose(down, np.diag([1, -1, -1]))


@pytest.mark.parametrize(("axis", "tilt"), [((0, 0, 1), 0), ((1, 0, 0), 90), ((0, 0, -1), 180)])
def test_tilt_of_relion_is_the_angle_to_the_beam(axis, tilt):
    rotation = torch.from_numpy(rotations_towards(np.array([axis], float)))
    assert matrix_to_relion_angles(rotation)[0, 1].item() == pytest.approx(tilt)
