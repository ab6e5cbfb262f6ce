"""Mirrored poses are rotations under which the mirrored map looks as the map did."""

import numpy as np
import pytest
import torch

from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.transforms import image_from_rfft
from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.simulate.poses import random_poses
from icelens.core.volumes.mirror import mirrored


def smooth_map() -> np.ndarray:
    axis = np.arange(24) - 12
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    rng = np.random.default_rng(0)
    places = rng.uniform(-5, 5, (8, 3))
    return sum(np.exp(-((z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2) / 4.0) for a, b, c in places)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_projections_stay_the_same(axis):
    volume = smooth_map().astype(np.float32)
    rotation = random_poses(5, np.random.default_rng(1))
    turned = mirrored_poses(rotation, axis)
    assert np.allclose(np.linalg.det(turned), 1.0)
    images = [
        image_from_rfft(
            central_slices(slice_source(torch.from_numpy(values)), torch.from_numpy(pose).float()),
            24,
        )
        for values, pose in ((volume, rotation), (mirrored(volume, axis), turned))
    ]
    assert torch.allclose(images[0], images[1], atol=1e-3 * float(images[0].max()))
    assert np.allclose(mirrored_poses(turned, axis), rotation)
