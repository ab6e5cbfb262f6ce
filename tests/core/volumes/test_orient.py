"""Boxes in the particle's own frame."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.volumes.crop import cut_subtomogram
from icelens.core.volumes.orient import cut_oriented_subtomogram

NOISE = np.random.default_rng(0).normal(size=(48, 48, 48)).astype(np.float32)


@pytest.mark.parametrize("box_size", [11, 12])
def test_no_turn_is_a_plain_cut(box_size: int) -> None:
    centre = np.array([22.0, 23.0, 24.0])
    oriented = cut_oriented_subtomogram(NOISE, centre, box_size, np.eye(3))
    np.testing.assert_array_equal(oriented, cut_subtomogram(NOISE, centre, box_size))


@pytest.mark.parametrize("box_size", [11, 12])
def test_quarter_turns_move_voxels_about_the_centre_voxel(box_size: int) -> None:
    # x of the reference points along y of the tomogram
    rotation = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    centre, half = np.array([22.0, 23.0, 24.0]), box_size // 2
    box = cut_oriented_subtomogram(NOISE, centre, box_size, rotation)
    np.testing.assert_allclose(box[half, half, half + 3], NOISE[22, 26, 24], atol=1e-6)
    np.testing.assert_allclose(box[half, half + 3, half], NOISE[22, 23, 21], atol=1e-6)
    np.testing.assert_allclose(box[half - 2, half, half], NOISE[20, 23, 24], atol=1e-6)


def test_a_bead_on_the_particles_axis_lies_on_that_axis_of_the_box() -> None:
    rotation = Rotation.random(rng=np.random.default_rng(4)).as_matrix()
    centre = np.array([23.3, 24.1, 22.7])
    bead = centre + (rotation @ [5.0, 0.0, 0.0])[::-1]
    grid = np.stack(np.indices((48,) * 3), axis=-1)
    volume = np.exp(-((grid - bead) ** 2).sum(-1) / 4.0).astype(np.float32)
    box = cut_oriented_subtomogram(volume, centre, 16, rotation)
    assert np.unravel_index(box.argmax(), box.shape) == (8, 8, 13)
