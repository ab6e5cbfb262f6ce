"""Dynamo's angles: quarter turns by hand, SciPy as oracle, and back again."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.geometry.dynamo_angles import (
    dynamo_angles_from_matrices,
    matrices_from_dynamo_angles,
)

X, Y, Z = np.eye(3)


@pytest.mark.parametrize(
    ("dynamo_angles", "axis_x", "axis_z"),
    [
        # what the particle's own x and z axes become in the tomogram, drawn by hand
        ((0, 0, 0), X, Z),
        ((0, 90, 0), X, Y),
        ((90, 90, 0), -Y, X),
        ((0, 180, 0), X, -Z),
        ((0, 0, 90), -Y, Z),
        ((90, 0, 0), -Y, Z),
        ((0, 90, 90), Z, Y),
        ((90, 90, 90), Z, X),
    ],
)
def test_quarter_turns_lay_the_axes_where_dynamo_has_them(
    dynamo_angles: tuple[float, float, float], axis_x: np.ndarray, axis_z: np.ndarray
) -> None:
    rotation = matrices_from_dynamo_angles(np.array(dynamo_angles))
    np.testing.assert_allclose(rotation @ X, axis_x, atol=1e-12)
    np.testing.assert_allclose(rotation @ Z, axis_z, atol=1e-12)


def test_scipys_fixed_zxz_is_the_way_from_particle_to_reference() -> None:
    random = np.random.default_rng(0)
    angles = random.uniform(-180, 180, (50, 3))
    there = Rotation.from_euler("zxz", angles, degrees=True).as_matrix()
    np.testing.assert_allclose(
        matrices_from_dynamo_angles(angles), np.swapaxes(there, 1, 2), atol=1e-12
    )


@pytest.mark.parametrize("tilt", [0.0, 1e-13, 37.0, 90.0, 180.0])
def test_angles_give_the_same_rotation_again(tilt: float) -> None:
    random = np.random.default_rng(1)
    angles = random.uniform(-180, 180, (50, 3))
    angles[:, 1] = tilt
    rotation = matrices_from_dynamo_angles(angles)
    again = dynamo_angles_from_matrices(rotation)
    np.testing.assert_allclose(matrices_from_dynamo_angles(again), rotation, atol=1e-9)
