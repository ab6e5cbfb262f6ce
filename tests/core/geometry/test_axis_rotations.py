"""Rotations about axes are SciPy's, whatever the shape of the angles."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.geometry.axis_rotations import about_x, about_y, about_z


@pytest.mark.parametrize(("function", "axis"), [(about_x, "x"), (about_y, "y"), (about_z, "z")])
def test_rotations_are_those_of_scipy(function, axis):
    angles = np.random.default_rng(0).uniform(-4, 4, (2, 3))
    expected = Rotation.from_euler(axis, angles.reshape(-1, 1)).as_matrix().reshape(2, 3, 3, 3)
    np.testing.assert_allclose(function(angles), expected, atol=1e-15)  # both in double precision
