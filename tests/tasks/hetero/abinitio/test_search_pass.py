"""A pass with the true map finds the true poses."""

import numpy as np
import torch
from pose_world import PIXEL, World

from icelens.core.fourier.insertion import SliceSums
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.pose_search.grid_search import RotationGrid
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.abinitio.search_images import SearchImages
from icelens.tasks.hetero.abinitio.search_pass import map_of, search_pass


def test_the_true_map_gives_true_poses_and_itself(
    search_images: SearchImages, search_world: World
) -> None:
    grid = search_images.grid
    truth = to_box(
        search_world.volume,
        pixel_size=PIXEL,
        box_size=grid.box_size,
        new_pixel_size=grid.pixel_size,
    )
    # grey values of images sum along z in voxels
    truth = truth * (grid.pixel_size / PIXEL)
    sums = (SliceSums(grid.box_size), SliceSums(grid.box_size))
    told: list[int] = []
    poses = search_pass(
        search_images,
        truth,
        np.arange(60),
        RotationGrid.of_order(2),
        first_radius=6,
        last_radius=grid.radius,
        max_shift=9.0,
        sums=sums,
        on_done=told.append,
    )
    error = rotation_distance(poses.rotation, search_world.rotation)
    assert float(error.median()) < 3.0
    assert told == [60]
    found = map_of(search_images, sums).full
    curve = fourier_shell_correlation(found, truth, pixel_size=grid.pixel_size)
    assert float(curve.correlation[1:6].min()) > 0.8
    assert torch.isfinite(poses.score).all()
