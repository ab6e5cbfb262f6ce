"""A march from random poses, step by step."""

import numpy as np
import pytest
import torch

from icelens.core.errors import CheckpointError
from icelens.tasks.hetero.abinitio.march import March, MarchSettings, shells_of
from icelens.tasks.hetero.abinitio.search_images import SearchImages

SETTINGS = MarchSettings(batch_size=20, iterations=7, num_poses=4, max_shift=6.0)


def test_shells_begin_coarse_and_end_where_the_grid_does(search_images: SearchImages) -> None:
    first, last = shells_of(search_images)
    assert 4 <= first <= last < search_images.grid.radius


def test_all_particles_are_used_before_any_is_used_again(search_images: SearchImages) -> None:
    march = March(search_images, SETTINGS, start=1)
    batches = np.concatenate([march._batch(step) for step in range(3)])
    assert sorted(batches) == list(range(60))
    other = March(search_images, SETTINGS, start=2)
    assert not np.array_equal(march._batch(0), other._batch(0))


def test_resolution_never_falls_and_the_map_stays_within_the_mask(
    search_images: SearchImages,
) -> None:
    march = March(search_images, SETTINGS, start=1)
    state = march.begin()
    radii = [state.radius]
    for _ in range(6):
        state, halves = march.step(state)
        radii.append(state.radius)
    assert radii == sorted(radii)
    assert max(np.diff(radii)) <= 1
    assert max(radii) > march.first_radius
    assert bool((state.density[search_images.mask == 0] == 0).all())
    assert halves.fsc.correlation[1] > 0.5


def test_a_march_that_was_stopped_goes_on_exactly(search_images: SearchImages) -> None:
    march = March(search_images, SETTINGS, start=1)
    state, _ = march.step(march.begin())
    tensors = {name: values.clone() for name, values in state.tensors().items()}
    numbers = state.numbers()
    straight, _ = march.step(state)
    again = March(search_images, SETTINGS, start=1).again(tensors, numbers)
    resumed, _ = march.step(again)
    assert torch.equal(resumed.density, straight.density)
    assert resumed.numbers() == straight.numbers()


def test_a_state_of_another_box_is_refused(search_images: SearchImages) -> None:
    march = March(search_images, SETTINGS, start=1)
    state = march.begin()
    tensors = state.tensors() | {"sums_1": torch.zeros(2, 2, 2, 4)}
    with pytest.raises(CheckpointError, match="another box"):
        march.again(tensors, state.numbers())
