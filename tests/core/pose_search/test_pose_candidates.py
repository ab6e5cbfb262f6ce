"""Candidates are subdivided towards the true pose."""

import torch
from pose_world import BOX, PIXEL, make_world
from searched_world import brute_force, series_of

from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.so3_grid import grid_step
from icelens.core.pose_search.grid_search import RotationGrid, grid_scores
from icelens.core.pose_search.pose_candidates import (
    PoseCandidates,
    candidate_scores,
    child_turns,
    subdivided,
)
from icelens.core.refinement.reference import slice_table
from icelens.core.refinement.samples import disc_samples
from icelens.core.refinement.search import shift_grid


def test_candidates_are_scored_as_by_brute_force() -> None:
    world = make_world(3, 1.0)
    table = slice_table(world.volume, radius=6, padding=4, is_linear=False)
    images = series_of(world, 6)
    shift = torch.tensor([3.0, -2.0, 0.0]).expand(3, 2, 3)
    rotation = torch.stack([world.rotation, world.rotation.flip(0)], dim=1)
    scores = candidate_scores(table, images, rotation, shift)
    for particle in range(3):
        for pose in range(2):
            expected = brute_force(
                table, images, rotation[particle, pose], shift[particle, pose], particle
            )
            assert abs(float(scores[particle, pose]) - expected) < 1e-3 * abs(expected) + 1e-3


def test_children_halve_a_cell() -> None:
    turns = torch.rad2deg(child_turns(8.0))
    assert turns.shape == (8, 3)
    assert torch.allclose(turns.abs(), torch.tensor(2.0))


def test_the_best_candidates_come_first_and_their_weights_sum_to_one() -> None:
    score = torch.tensor([[1.0, 3.0, 2.0]])
    poses = PoseCandidates(torch.eye(3).repeat(1, 3, 1, 1), torch.zeros(1, 3, 3), score)
    assert poses.best(2).score.tolist() == [[3.0, 2.0]]
    assert poses.best(9).score.shape == (1, 3)
    assert torch.allclose(poses.weight.sum(1), torch.ones(1))


def test_a_search_of_the_true_map_finds_the_true_poses() -> None:
    # particles of 1 in signal to noise; the grid's 15 degrees are halved four times
    world = make_world(40, 1.0)
    first, last = 6, 13
    images = series_of(world, last)
    count = disc_samples(BOX, last).count
    grid = RotationGrid.of_order(2)
    shifts = shift_grid(9.0, BOX * PIXEL / first, num_axes=2)
    low = slice_table(world.volume, radius=first, padding=4, is_linear=False)
    found = []
    for _, scores in grid_scores(low, images.first(count(first)), grid, shifts):
        score, place = scores.flatten(1).topk(12, dim=1)
        turned = grid.rotation[place % len(grid.rotation)]
        found.append((turned, shifts[place // len(grid.rotation)], score))
    poses = PoseCandidates(*(torch.cat(each) for each in zip(*found, strict=True)))
    table = slice_table(world.volume, radius=last, padding=4, is_linear=False)
    for number, radius in enumerate((8, 10, 12, last)):
        poses = subdivided(
            table,
            images.first(count(radius)),
            poses,
            step=grid_step(2) / 2**number,
            shift_step=0.25 * BOX * PIXEL / first / 2**number,
            keep=6,
        )
    error = rotation_distance(poses.rotation[:, 0], world.rotation)
    assert float(error.median()) < 3.0
    moved = poses.shift_xyz[:, 0, :2].flip(-1) - world.shift_yx_px * PIXEL
    assert float(moved.norm(dim=1).median()) < 3.0
