"""Scores of all rotations and shifts."""

import pytest
import torch
from pose_world import World, make_world
from searched_world import brute_force, series_of

from icelens.core.geometry.rotations import random_rotations, relion_angles_to_matrix
from icelens.core.geometry.so3_grid import grid_index, num_rotations
from icelens.core.pose_search.grid_search import RotationGrid, grid_scores, is_flat
from icelens.core.refinement.reference import slice_table

RADIUS = 5


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(6, 1.0)


def test_the_grid_holds_every_cell_once_and_pairs_half_turns() -> None:
    grid = RotationGrid.of_order(1)
    half = len(grid.rotation) // 2
    assert sorted(grid_index(grid.rotation.double().numpy(), 1)) == list(range(num_rotations(1)))
    turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))
    assert torch.allclose(turn @ grid.rotation[:half], grid.rotation[half:])


def test_scores_are_those_of_brute_force(world: World) -> None:
    table = slice_table(world.volume, radius=RADIUS, padding=4, is_linear=False)
    images = series_of(world, RADIUS)
    grid = RotationGrid.of_order(0).turned(random_rotations(1, torch.Generator().manual_seed(1))[0])
    shifts = torch.tensor([[0.0, 0.0, 0.0], [6.0, -3.0, 0.0]])
    ((chosen, scores),) = grid_scores(table, images, grid, shifts)
    assert chosen.tolist() == list(range(6))
    for particle, shift, rotation in ((0, 0, 3), (2, 1, 50), (5, 1, 71)):
        expected = brute_force(table, images, grid.rotation[rotation], shifts[shift], particle)
        assert float(scores[particle, shift, rotation]) == pytest.approx(expected, rel=1e-3)


def test_tilted_images_of_a_particle_are_scored_jointly(world: World) -> None:
    stage = relion_angles_to_matrix(
        torch.tensor([[0.0, tilt, 0.0] for tilt in (0.0, 30.0, -30.0) * 2])
    )
    owner = torch.tensor([1, 1, 1, 0, 0, 0])
    images = series_of(world, RADIUS, stage=stage.float(), owner=owner)
    assert images.is_tilted
    assert not is_flat(images.frame[1])
    table = slice_table(world.volume, radius=RADIUS, padding=4, is_linear=False)
    grid = RotationGrid.of_order(0)
    shifts = torch.tensor([[0.0, 0.0, 0.0], [4.0, 2.0, -5.0]])
    ((_, scores),) = grid_scores(table, images, grid, shifts)
    for particle, shift, rotation in ((0, 1, 10), (1, 1, 60)):
        expected = brute_force(table, images, grid.rotation[rotation], shifts[shift], particle)
        assert float(scores[particle, shift, rotation]) == pytest.approx(expected, rel=1e-3)


def test_particles_that_do_not_fit_into_memory_come_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = slice_table(world.volume, radius=RADIUS, padding=4, is_linear=False)
    images, grid = series_of(world, RADIUS), RotationGrid.of_order(0)
    ((_, whole),) = grid_scores(table, images, grid, torch.zeros(1, 3))
    monkeypatch.setattr("icelens.core.pose_search.grid_search._SCORES_AT_ONCE", 150)
    parts = list(grid_scores(table, images, grid, torch.zeros(1, 3)))
    assert len(parts) == 3
    assert torch.allclose(torch.cat([scores for _, scores in parts]), whole, atol=1e-3)
