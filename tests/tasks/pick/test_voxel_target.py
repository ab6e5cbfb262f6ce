"""Labels of voxels: resized without blending, mixed by share."""

import pytest
import torch
import torch.nn.functional as F

from icelens.tasks.pick.voxel_target import IGNORED, VoxelTarget


@pytest.mark.parametrize("sides", [(4, 3, 2), (3, 5, 7), (8, 6, 4), (16, 12, 8)])
def test_resizing_takes_the_nearest_voxel(sides: tuple[int, int, int]) -> None:
    labels = torch.randint(0, 9, (2, 8, 6, 4), dtype=torch.uint8)
    weight = torch.rand(2, 8, 6, 4)
    resized = VoxelTarget(labels, weight).resized(sides)
    nearest = F.interpolate(labels.unsqueeze(1), size=sides, mode="nearest-exact")
    assert torch.equal(resized.labels, nearest.squeeze(1))
    assert resized.weight is not None
    assert set(resized.weight.flatten().tolist()) <= set(weight.flatten().tolist())


def test_mixtures_are_resized_together() -> None:
    labels = torch.randint(0, 3, (2, 4, 4, 4))
    mixed = VoxelTarget(labels).mixed(torch.tensor([1, 0]), torch.tensor([0.5, 0.2]))
    small = mixed.resized((2, 2, 2))
    assert small.second is not None
    assert torch.equal(small.labels.flip(0), small.second)


def test_shares_of_a_mixture_add_up_to_one() -> None:
    mixed = VoxelTarget(torch.zeros(3, 2, 2, 2, dtype=torch.long)).mixed(
        torch.tensor([2, 0, 1]), torch.tensor([0.1, 0.5, 1.0])
    )
    shares = [share for _, share in mixed.parts()]
    assert torch.equal(shares[0] + shares[1], torch.ones(3))


def test_a_voxel_unknown_in_either_part_is_ignored() -> None:
    labels = torch.tensor([0, IGNORED, 1]).view(3, 1, 1, 1)
    mixed = VoxelTarget(labels).mixed(torch.tensor([1, 0, 2]), torch.full((3,), 0.5))
    assert mixed.voxel_weight().flatten().tolist() == [0.0, 0.0, 1.0]


def test_weights_of_a_mixture_are_averaged_by_share() -> None:
    weight = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    labels = torch.zeros(2, 1, 1, 1, dtype=torch.long)
    mixed = VoxelTarget(labels, weight).mixed(torch.tensor([1, 0]), torch.tensor([0.5, 0.25]))
    assert mixed.voxel_weight().flatten().tolist() == [2.0, 1.5]
