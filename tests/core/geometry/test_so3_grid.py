import numpy as np
import pytest
import torch

from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_grid import (
    children,
    grid_index,
    grid_rotations,
    grid_step,
    num_rotations,
    num_turns,
)


def _mean_distance(order: int) -> float:
    rotation = random_rotations(4000, torch.Generator().manual_seed(0), dtype=torch.float64)
    cell = grid_index(rotation.numpy(), order)
    centre = torch.from_numpy(grid_rotations(order, cell))
    return float(rotation_distance(rotation, centre).mean())


@pytest.mark.parametrize("order", [0, 1, 2])
def test_every_rotation_of_the_grid_lies_in_its_own_cell(order: int) -> None:
    rotations = grid_rotations(order)
    assert len(rotations) == num_rotations(order) == 72 * 8**order
    assert np.array_equal(grid_index(rotations, order), np.arange(num_rotations(order)))
    assert np.allclose(rotations @ rotations.swapaxes(1, 2), np.eye(3), atol=1e-12)


def test_one_rotation_is_found_as_many_are() -> None:
    rotation = grid_rotations(3, 1234)
    assert rotation.shape == (3, 3)
    assert int(grid_index(rotation, 3)) == 1234


def test_some_places_of_a_fine_grid_are_found_again() -> None:
    place = np.random.default_rng(0).integers(num_rotations(6), size=(40, 50))
    assert np.array_equal(grid_index(grid_rotations(6, place), 6), place)


def test_the_mean_distance_halves_with_each_order() -> None:
    distances = [_mean_distance(order) for order in (1, 2, 3, 4)]
    ratios = np.array(distances[:-1]) / distances[1:]
    # cells of the sphere grow a little more alike with the order
    assert np.allclose(ratios, 2.0, atol=0.06)
    assert distances[3] < grid_step(4)


def test_children_divide_the_next_grid_between_them() -> None:
    inside = children(np.arange(num_rotations(1)), 1)
    assert inside.shape == (num_rotations(1), 8)
    assert np.array_equal(np.sort(inside.ravel()), np.arange(num_rotations(2)))
    # the centre of the eight is that of their parent
    parent = torch.from_numpy(grid_rotations(1))
    own = torch.from_numpy(grid_rotations(2, inside))
    assert float(rotation_distance(own, parent[:, None]).amax()) < grid_step(1)
    left, _, right = torch.linalg.svd(own.mean(dim=1))
    assert float(rotation_distance(left @ right, parent).amax()) < 0.15 * grid_step(1)


def test_most_rotations_of_a_cell_lie_in_its_children() -> None:
    rotation = random_rotations(2000, torch.Generator().manual_seed(1), dtype=torch.float64).numpy()
    parent, child = grid_index(rotation, 2), grid_index(rotation, 3)
    is_inside = (children(parent, 2) == child[:, None]).any(axis=1)
    assert is_inside.mean() > 0.8
    # and none is far from all of them
    centres = torch.from_numpy(grid_rotations(3, children(parent, 2)))
    nearest = rotation_distance(torch.from_numpy(rotation)[:, None], centres).amin(dim=1)
    assert float(nearest.max()) < grid_step(2)


def test_cells_are_equally_likely() -> None:
    count = 144_000
    rotation = random_rotations(count, torch.Generator().manual_seed(2), dtype=torch.float64)
    found = np.bincount(grid_index(rotation.numpy(), 0), minlength=72)
    # Poisson: five standard deviations
    assert np.abs(found - count / 72).max() < 5.0 * np.sqrt(count / 72)


def test_neighbours_in_an_index_are_turns_about_the_beam() -> None:
    rotations = torch.from_numpy(grid_rotations(1))[: num_turns(1)]
    steps = rotations[1:] @ rotations[:-1].mT
    assert torch.allclose(steps[:, 2, 2], torch.ones(num_turns(1) - 1, dtype=torch.float64))
    degrees = torch.rad2deg(torch.atan2(steps[:, 0, 1], steps[:, 0, 0]))
    assert torch.allclose(degrees, torch.full_like(degrees, grid_step(1)))
