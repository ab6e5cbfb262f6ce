"""Two structures are compared whatever their frames and hands."""

import pytest
import torch
from pose_world import PIXEL, World, blobs, make_world

from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.geometry.rotations import random_rotations
from icelens.core.volumes.mirror import mirrored
from icelens.tasks.hetero.abinitio.agreement import (
    compare_structures,
    turned_map,
)
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(80, 1.0)


def poses_of(rotation: torch.Tensor) -> FoundPoses:
    return FoundPoses(rotation, torch.zeros(len(rotation), 3), torch.ones(len(rotation)))


def mirror_image(volume: torch.Tensor, rotation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The other hand of a map, and the poses at which it shows the same images."""
    poses = torch.from_numpy(mirrored_poses(rotation.numpy())).float()
    return torch.from_numpy(mirrored(volume.numpy())), poses


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_turned_structure_is_the_same(world: World, *, is_mirrored: bool) -> None:
    turn = random_rotations(1, torch.Generator().manual_seed(8))[0]
    volume = world.volume
    # R x = (R Q^T) (Q x)
    other, rotation = turned_map(volume, turn, torch.zeros(3)), world.rotation @ turn.mT
    if is_mirrored:
        other, rotation = mirror_image(other, rotation)
    found = compare_structures(
        poses_of(world.rotation),
        volume,
        poses_of(rotation),
        other,
        pixel_size=PIXEL,
        is_hand_known=False,
    )
    assert found.is_mirrored == is_mirrored
    assert found.share == 1.0
    assert found.angle < 0.1
    assert found.correlation > 0.97
    assert found.is_same


def test_a_tilt_series_knows_its_hand(world: World) -> None:
    other, rotation = mirror_image(world.volume, world.rotation)
    found = compare_structures(
        poses_of(world.rotation),
        world.volume,
        poses_of(rotation),
        other,
        pixel_size=PIXEL,
        is_hand_known=True,
    )
    assert not found.is_mirrored
    assert not found.is_same


def test_structures_of_chance_do_not_agree(world: World) -> None:
    chance = random_rotations(80, torch.Generator().manual_seed(4))
    found = compare_structures(
        poses_of(world.rotation),
        world.volume,
        poses_of(chance),
        blobs(seed=9),
        pixel_size=PIXEL,
        is_hand_known=False,
    )
    assert found.share < 0.2
    assert not found.is_same
