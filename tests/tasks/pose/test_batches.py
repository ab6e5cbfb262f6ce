"""Batches are functions of seed, step and items alone, and show every image once an epoch."""

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.pose.augment import Augmentation
from icelens.tasks.pose.batches import LabelledImages, PoseBatches
from icelens.tasks.pose.network_images import ImageShape
from icelens.tasks.pose.objective import PoseBatch

SHAPE = ImageShape(16, 4.0, 20.0)
VARIED = Augmentation(0.5, 0.5, 10.0, 0.5, 2.0, 0.5, 0.05, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.5)


def data(count: int) -> LabelledImages:
    """Images whose mean says which they are."""
    generator = torch.Generator().manual_seed(0)
    images = torch.arange(1.0, count + 1)[:, None, None, None].expand(count, 2, 16, 16)
    return LabelledImages(
        images.half(),
        random_rotations(count, generator),
        torch.randn(count, 2, generator=generator),
        torch.linspace(0.5, 1.5, count),
    )


def source(count: int, **changes: Any) -> PoseBatches:
    usual: dict[str, Any] = {
        "batch_size": 4, "augmentation": None, "seed": 1, "device": torch.device("cpu"),
    }  # fmt: skip
    return PoseBatches(data(count), SHAPE, **(usual | changes))


def numbers(batch: PoseBatch) -> list[int]:
    return [int(value) for value in batch.images[:, 0, 8, 8]]


def same(first: PoseBatch, second: PoseBatch) -> bool:
    return all(
        torch.equal(getattr(first, each.name), getattr(second, each.name))
        for each in fields(PoseBatch)
    )


@pytest.mark.parametrize("count", [8, 10, 3])
def test_every_image_is_seen_once_in_each_epoch(count: int) -> None:
    batches = source(count, batch_size=1)
    for epoch in range(3):
        steps = range(epoch * count, (epoch + 1) * count)
        seen = Counter(numbers(batches(step, range(1)))[0] for step in steps)
        assert seen == Counter(range(1, count + 1))
    orders = [[numbers(batches(e * 10 + s, range(1)))[0] for s in range(8)] for e in range(2)]
    assert count < 4 or orders[0] != orders[1]


def test_labels_belong_to_their_image() -> None:
    known = data(10)
    for step in range(5):
        batch = source(10)(step, range(4))
        for place, number in enumerate(numbers(batch)):
            assert torch.equal(batch.rotation[place], known.rotation[number - 1])
            assert torch.equal(batch.shift_yx[place], known.shift_yx[number - 1])
            mean = known.weight.mean()
            assert float(batch.weight[place]) == pytest.approx(
                float(known.weight[number - 1] / mean)
            )


@pytest.mark.parametrize("augmentation", [None, VARIED])
def test_a_step_is_the_same_whenever_it_comes(augmentation: Augmentation | None) -> None:
    first, second = (source(10, augmentation=augmentation) for _ in range(2))
    late = first(7, range(4))
    for step in (0, 3, 7):
        again = second(step, range(4))
    assert same(late, again)
    assert not same(late, source(10, augmentation=augmentation, seed=2)(7, range(4)))


@pytest.mark.parametrize("augmentation", [None, VARIED])
def test_two_processes_that_share_a_batch_make_what_one_makes(
    augmentation: Augmentation | None,
) -> None:
    whole = source(10, augmentation=augmentation)(2, range(4))
    parts = [source(10, augmentation=augmentation)(2, part) for part in (range(2), range(2, 4))]
    for name in ("images", "rotation", "shift_yx", "weight"):
        joined = torch.cat([getattr(part, name) for part in parts])
        assert torch.allclose(joined, getattr(whole, name), atol=1e-4), name
    # the likelihood of all of them is normalised on one grid
    assert all(torch.equal(part.frame, whole.frame) for part in parts)


def test_the_grid_is_turned_anew_at_each_step() -> None:
    frames = torch.stack([source(10)(step, range(4)).frame for step in range(4)])
    assert torch.allclose(frames @ frames.mT, torch.eye(3).expand(4, 3, 3), atol=1e-5)
    assert len({tuple(frame.flatten().tolist()) for frame in frames}) == 4


def test_images_are_masked_after_they_are_varied() -> None:
    batch = source(10, augmentation=replace(VARIED, gaussian_noise=1.0))(0, range(4))
    outside = SHAPE.mask() == 0
    assert not batch.images[..., outside].any()
    assert batch.images.dtype == torch.float32
