"""One pose out of many images: means of rotations, origins from projected shifts."""

import numpy as np
from scipy.spatial.transform import Rotation

from icelens.core.io.tilt_stack_tables import mean_rotations, origins


def random_matrices(count: int, seed: int) -> np.ndarray:
    return Rotation.random(count, rng=np.random.default_rng(seed)).as_matrix()


def test_small_errors_of_images_average_out() -> None:
    own, stage = random_matrices(3, 0), random_matrices(120, 1)
    particle = np.repeat(np.arange(3), 40)
    random = np.random.default_rng(2)
    error = Rotation.from_rotvec(random.normal(scale=0.02, size=(120, 3))).as_matrix()
    found = mean_rotations(stage, error @ stage @ own[particle], particle)
    angle = Rotation.from_matrix(np.swapaxes(found, -1, -2) @ own).magnitude()
    assert angle.max() < 0.02  # one image alone is off by 0.035 rad
    np.testing.assert_allclose(np.linalg.det(found), 1.0)


def test_an_origin_is_found_from_its_projections() -> None:
    stage = random_matrices(8, 3)
    particle = np.repeat([0, 1], 4)
    truth = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]])
    shift_yx = np.einsum("nij,nj->ni", stage, truth[particle])[:, 1::-1]
    np.testing.assert_allclose(origins(stage, shift_yx, particle), truth, atol=1e-9)


def test_a_direction_that_no_image_shows_stays_zero() -> None:
    found = origins(np.eye(3)[None], np.array([[2.0, 1.0]]), np.zeros(1, int))
    np.testing.assert_allclose(found, [[1.0, 2.0, 0.0]], atol=1e-12)
