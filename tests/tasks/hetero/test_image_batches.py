"""Batches are a function of seed and step; each particle comes once in each epoch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hetero_world import BOX, PIXEL, random_particles

from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.image_batches import ImageBatches, batch_of, shuffled
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import ImageFacts, PreparedImages
from icelens.tasks.hetero.sample_choice import SampleChoice

SAMPLES = disc_samples(BOX, BOX // 2 - 1)
POWER = ((1.0,) * (BOX // 2 + 1),)
COUNT, TILTS = 21, 3


def stored_images(weight: np.ndarray | None = None) -> PreparedImages:
    particles = random_particles(COUNT, tilts=TILTS)
    if weight is not None:
        particles = replace(particles, weight=weight)
    rows = len(particles)
    facts = ImageFacts(
        rows, BOX, PIXEL, BOX // 2 - 1, 100.0, is_inverted=False, independence=1.0,
        cached_power=POWER, noise_power=POWER,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, len(SAMPLES.index), 2)).astype(np.float16)
    return PreparedImages(particles, facts, values)


def batches(*, is_streamed: bool = False, seed: int = 3, share: float = 1.0) -> ImageBatches:
    images = stored_images()
    return ImageBatches(
        images,
        particle_rows(images.particles, tilts=0, seed=0),
        SampleChoice(SAMPLES, share=share, always=2, first_radius=9, num_steps=0, seed=1),
        latent_dim=2,
        known=torch.zeros(COUNT, 0, 2),
        batch_size=4,
        seed=seed,
        is_streamed=is_streamed,
    )


@pytest.mark.parametrize("is_streamed", [False, True])
def test_each_particle_comes_once_in_each_epoch(*, is_streamed: bool) -> None:
    source = batches(is_streamed=is_streamed)
    numbers = torch.cat([source(step, range(4)).particle for step in range(11)]).tolist()
    first, second = numbers[:COUNT], numbers[COUNT : 2 * COUNT]
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert first != second
    assert first != sorted(first)


def test_batches_depend_on_seed_and_step_alone() -> None:
    one, other = batches(), batches()
    for step in (3, 0, 9):
        other(step, range(4))
    first, again = one(7, range(4)), other(7, range(4))
    assert torch.equal(first.particle, again.particle)
    assert torch.equal(first.noise, again.noise)
    assert torch.equal(first.values, again.values)
    assert not torch.equal(batches(seed=4)(7, range(4)).particle, first.particle)


def test_parts_of_a_batch_are_the_batch() -> None:
    source = batches()
    whole = source(5, range(4)).particle
    parts = [source(5, range(2)).particle, source(5, range(2, 4)).particle]
    assert torch.equal(torch.cat(parts), whole)


def test_batches_hold_all_images_of_their_particles() -> None:
    images = stored_images()
    rows = particle_rows(images.particles, tilts=0, seed=0)
    places = torch.arange(0, len(SAMPLES.index), 3)
    chosen = (places, torch.ones(len(places)))
    own = batch_of(
        images, rows, np.asarray([5, 2]), torch.zeros(2, 2), torch.zeros(2, 0, 2), chosen, 12.0
    )
    assert own.image.tolist() == [15, 16, 17, 6, 7, 8]
    assert own.owner.tolist() == [0, 0, 0, 1, 1, 1]
    assert own.half_set.tolist() == images.particles.half_set[[15, 6]].tolist()
    assert torch.equal(own.values, own.seen[:, places])
    assert torch.equal(own.transfer, own.seen_transfer[:, places])
    assert torch.equal(own.axes, images.rotation([15, 16, 17, 6, 7, 8]))
    assert own.images_seen == 12.0


def test_images_of_no_weight_count_nothing() -> None:
    weight = np.ones(COUNT * TILTS)
    weight[:3] = 0.0
    weight[4] = 0.0
    images = stored_images(weight)
    rows = particle_rows(images.particles, tilts=0, seed=0)
    every = (torch.arange(len(SAMPLES.index)), torch.ones(len(SAMPLES.index)))
    own = batch_of(images, rows, np.asarray([0, 1]), torch.zeros(2, 2), torch.zeros(2, 0, 2), every)
    assert own.image.tolist() == [0, 3, 5]
    assert not own.values[0].any()
    assert not own.transfer[0].any()
    assert not own.seen[0].any()
    assert own.transfer[1:].any()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 5000])
def test_streamed_orders_are_orders_whose_neighbours_were_neighbours(count: int) -> None:
    order = shuffled(count, 3, is_streamed=True)
    assert sorted(order.tolist()) == list(range(count))
    if count == 5000:
        # blocks of 64, of which 64 are mixed: the last ones alone
        assert len(np.unique(order[:64] // 64)) > 30
        assert abs(np.corrcoef(order, np.arange(count))[0, 1]) < 0.3
