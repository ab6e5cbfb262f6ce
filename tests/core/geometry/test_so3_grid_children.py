"""Cells hold the cells of the next order that lie within them, at the poles as elsewhere."""

import numpy as np
import pytest
import torch

from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_grid import children, grid_rotations, grid_step, num_rotations


@pytest.mark.parametrize("order", [0, 1, 2])
def test_every_cell_has_one_parent_and_lies_near_it(order: int) -> None:
    place = np.arange(num_rotations(order))
    found = children(place, order)
    assert np.array_equal(np.sort(found.ravel()), np.arange(num_rotations(order + 1)))
    parent = torch.from_numpy(grid_rotations(order))[:, None]
    apart = rotation_distance(torch.from_numpy(grid_rotations(order + 1, found)), parent)
    # half a diagonal; were turns counted from meridians, it would be 26 degrees at any order
    assert float(apart.max()) < 0.75 * grid_step(order)


def test_a_search_from_coarse_to_fine_comes_near_any_rotation() -> None:
    rotation = random_rotations(300, torch.Generator().manual_seed(0), dtype=torch.float64)
    coarse = torch.from_numpy(grid_rotations(2)).flatten(1)
    index = (rotation.flatten(1) @ coarse.T).topk(24).indices.numpy()
    for order in (2, 3, 4):
        inner = children(index, order).reshape(len(rotation), -1)
        traces = torch.einsum(
            "iab,icab->ic", rotation, torch.from_numpy(grid_rotations(order + 1, inner))
        )
        index = np.take_along_axis(inner, traces.topk(24).indices.numpy(), axis=1)
    nearest = torch.from_numpy(grid_rotations(5, index[:, 0]))
    assert float(rotation_distance(nearest, rotation).max()) < 0.85 * grid_step(5)
