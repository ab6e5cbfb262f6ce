"""Two structures are compared whatever their frames and hands."""

import pytest
import torch
from pose_world import PIXEL, World, blobs, make_world

from icelens.core.fourier.slices import project_volume
from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.hetero.abinitio.agreement import (
    compare_structures,
    mirrored_map,
    mirrored_rotation,
    turned_map,
)
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(80, 1.0)


def poses_of(rotation: torch.Tensor) -> FoundPoses:
    return FoundPoses(rotation, torch.zeros(len(rotation), 3), torch.ones(len(rotation)))


def test_the_mirrored_map_shows_the_same_images_at_mirrored_poses() -> None:
    volume = blobs()
    rotation = random_rotations(3, torch.Generator().manual_seed(3))
    plain = project_volume(volume, rotation)
    mirrored = project_volume(mirrored_map(volume), mirrored_rotation(rotation))
    assert torch.allclose(plain, mirrored, atol=2e-3 * float(plain.max()))


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_turned_structure_is_the_same(world: World, *, is_mirrored: bool) -> None:
    turn = random_rotations(1, torch.Generator().manual_seed(8))[0]
    volume = world.volume
    # R x = (R Q^T) (Q x)
    other, rotation = turned_map(volume, turn, torch.zeros(3)), world.rotation @ turn.mT
    if is_mirrored:
        other, rotation = mirrored_map(other), mirrored_rotation(rotation)
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
    found = compare_structures(
        poses_of(world.rotation),
        world.volume,
        poses_of(mirrored_rotation(world.rotation)),
        mirrored_map(world.volume),
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
