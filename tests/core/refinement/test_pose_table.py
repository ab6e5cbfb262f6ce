import numpy as np
import torch
from pose_world import PIXEL, World

from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refined import Refined


def _refined(num: int, top_k: int, *, num_images: int = 0) -> Refined:
    shape = (num, top_k, num_images, 2) if num_images else (num, top_k, 2)
    return Refined(
        torch.eye(3).repeat(num, top_k, 1, 1),
        torch.arange(float(np.prod(shape))).view(shape),
        torch.zeros(num, top_k, 3),
        torch.ones(num, top_k),
        torch.full((num, top_k), 0.5),
        torch.full((num, top_k), 2.0),
        torch.zeros(num, top_k, dtype=torch.long),
        torch.ones(num),
    )


def test_rows_that_are_not_filled_keep_their_poses(noisy_world: World) -> None:
    particles = noisy_world.particles
    table = PoseTable.unrefined(particles, 2)
    rows = np.array([3, 7])
    table.fill(rows, _refined(2, 2), PIXEL)
    others = np.setdiff1d(np.arange(len(particles)), rows)
    assert np.array_equal(table.rotation[others, 1], particles.rotation[others])
    assert np.array_equal(table.shift_yx[others, 0], particles.shift_yx[others])
    assert (table.probability[others] == 0).all()
    assert (table.width[others] == 180.0).all()
    assert np.array_equal(table.rotation[rows, 0], np.tile(np.eye(3), (2, 1, 1)))
    assert table.shift_yx[7, 1].tolist() == [6.0 * PIXEL, 7.0 * PIXEL]


def test_images_of_a_series_turn_with_their_stage(noisy_world: World) -> None:
    table = PoseTable.unrefined(noisy_world.particles, 1)
    place, image = np.array([0, 0, 1]), np.array([0, 1, 0])
    stage = noisy_world.particles.rotation[:3]
    found = _refined(2, 1, num_images=2)
    table.fill_series(np.array([4, 2, 9]), place, image, stage, found, PIXEL)
    assert np.allclose(table.rotation[[4, 2, 9], 0], stage)
    assert table.shift_yx[2, 0].tolist() == [2.0 * PIXEL, 3.0 * PIXEL]
    assert table.entropy[[4, 2, 9]].tolist() == [1.0, 1.0, 1.0]
