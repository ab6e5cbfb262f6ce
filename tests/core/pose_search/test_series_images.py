"""Batches of images, by particle."""

import torch
from pose_world import make_world
from searched_world import series_of

from icelens.core.refinement.samples import disc_samples


def test_some_particles_keep_their_images_in_the_asked_order() -> None:
    world = make_world(6, 1.0)
    owner = torch.tensor([0, 1, 1, 2, 2, 0])
    images = series_of(world, 5, owner=owner)
    taken = images.take(torch.tensor([2, 0]))
    assert taken.num_particles == 2
    assert taken.owner.tolist() == [1, 0, 0, 1]
    assert torch.equal(taken.values, images.values[[0, 3, 4, 5]])


def test_coarser_images_hold_the_first_samples() -> None:
    images = series_of(make_world(2, 1.0), 6)
    count = disc_samples(32, 4).count(4)
    assert torch.equal(images.first(count).values, images.values[:, :count])


def test_frames_that_are_nearly_alike_are_one_group() -> None:
    world = make_world(4, 1.0)
    stage = torch.eye(3).repeat(4, 1, 1)
    stage[1] += 1e-4
    stage[3, 0, 0] = 0.9
    groups = series_of(world, 4, stage=stage).alike()
    assert sorted(each.tolist() for each in groups) == [[0, 1, 2], [3]]


def test_a_shift_moves_the_particle_to_the_centre() -> None:
    world = make_world(3, None)
    images = series_of(world, 6)
    shift = torch.nn.functional.pad(world.shift_yx_px.flip(-1) * 6.0, (0, 1))
    moved = images.moved(torch.arange(3), shift)
    still = images.moved(torch.arange(3), torch.zeros(3, 3))
    assert torch.allclose(moved.abs(), still.abs(), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(moved, still)
