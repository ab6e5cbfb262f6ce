"""RELION's angles in numpy, against SciPy's Euler angles."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.geometry.relion_angles import (
    matrices_from_relion_angles,
    relion_angles_from_matrices,
)


def test_matrices_are_scipys_transposed():
    angles = np.random.default_rng(0).uniform(-180, 180, (50, 3))
    expected = Rotation.from_euler("ZYZ", angles, degrees=True).as_matrix().swapaxes(1, 2)
    np.testing.assert_allclose(matrices_from_relion_angles(angles), expected, atol=1e-12)


def test_angles_return_from_their_matrices():
    angles = np.random.default_rng(1).uniform([-180, 1, -180], [180, 179, 180], (50, 3))
    again = relion_angles_from_matrices(matrices_from_relion_angles(angles))
    np.testing.assert_allclose(again, angles, atol=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 180.0])
def test_poles_keep_the_matrix_with_rot_zero(tilt):
    matrix = matrices_from_relion_angles([20.0, tilt, 30.0])
    angles = relion_angles_from_matrices(matrix)
    assert angles[0] == 0.0
    np.testing.assert_allclose(matrices_from_relion_angles(angles), matrix, atol=1e-12)
