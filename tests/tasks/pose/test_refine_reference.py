from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import BOX, PIXEL, make_world

from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.volumes import write_volume
from icelens.tasks.pose.refine_reference import first_references, read_reference
from icelens.tasks.pose.refine_settings import RefineConfig


def _read(folder: Path, **settings: object) -> tuple[dict, list[str]]:
    world = make_world(2, None)
    write_volume(folder / "map.mrc", Volume(world.volume.numpy(), PIXEL))
    config = RefineConfig(particles=(Path("a.star"),), map=folder / "map.mrc", **settings)
    events: list[Event] = []
    references = first_references(config, world.particles, events.append)
    return references, [event.text for event in events if isinstance(event, Message)]


def test_map_on_the_images_grid_is_taken_as_it_is(tmp_path: Path) -> None:
    references, told = _read(tmp_path)
    assert told == []
    assert references[0].resolution is None
    assert torch.equal(references[0].on_grid(BOX, PIXEL), make_world(2, None).volume)


def test_halves_that_begin_from_one_map_share_nothing_fine(tmp_path: Path) -> None:
    references, told = _read(tmp_path, halves=True)
    assert references[1].resolution == references[2].resolution == 20.0
    assert len(told) == 1
    asked, told = _read(tmp_path, halves=True, initial_resolution=35.0)
    assert asked[1].resolution == 35.0
    assert told == []


def test_each_half_may_have_a_map_of_its_own(tmp_path: Path) -> None:
    other = np.random.default_rng(0).normal(size=(BOX,) * 3).astype(np.float32)
    write_volume(tmp_path / "other.mrc", Volume(other, PIXEL))
    references, _ = _read(tmp_path, halves=True, map_half_2=tmp_path / "other.mrc")
    assert references[1].resolution is None
    assert np.array_equal(references[2].density.numpy(), other)


def test_map_without_a_pixel_size_asks_for_the_flag_that_gives_it(tmp_path: Path) -> None:
    world = make_world(2, None)
    path = tmp_path / "map.mrc"
    write_volume(path, Volume(world.volume.numpy(), 1.0))
    with pytest.raises(MetadataError, match="--map-pixel-size"):
        read_reference(path, None, world.particles, ignore)
    assert read_reference(path, PIXEL, world.particles, ignore).pixel_size == PIXEL


def test_users_word_on_the_maps_pixel_size_outweighs_its_header(tmp_path: Path) -> None:
    world = make_world(2, None)
    path = tmp_path / "map.mrc"
    write_volume(path, Volume(world.volume.numpy(), 7.0))
    assert read_reference(path, PIXEL, world.particles, ignore).pixel_size == PIXEL
