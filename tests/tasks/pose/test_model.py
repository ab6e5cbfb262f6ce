"""A network answers alike in any batch, and turns its answer with the image."""

import numpy as np
import pytest
import torch
from pose_models import TINY

from icelens.core.geometry.rotations import rotation_distance
from icelens.tasks.pose.distribution import Modes
from icelens.tasks.pose.model import PoseReader
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network_images import ImageShape
from icelens.training.device import choose_compute

SHAPE = ImageShape(32, 6.0, 80.0)


def reader(symmetry: str = "C1", sharpness: float = 1.0) -> PoseReader:
    torch.manual_seed(0)
    names = ("box_size", "max_degree", "sphere_channels", "rotation_channels", "encoder_settings")
    network = build_network({name: TINY[name] for name in names}, symmetry)
    compute = choose_compute("cpu", "float32", 1)
    return PoseReader(network, symmetry, SHAPE, compute, sharpness=sharpness)


def images(count: int) -> torch.Tensor:
    return torch.randn(count, 2, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("symmetry", ["C1", "D3"])
def test_any_batch_gives_the_same_answers(symmetry: str) -> None:
    answer, given = reader(symmetry), images(7)
    whole = answer(given, top_k=2)
    parts = [answer(part, top_k=2) for part in given.split([1, 4, 2])]
    for name in ("probability", "width"):
        joined = torch.cat([getattr(part.modes, name) for part in parts])
        assert torch.allclose(joined, getattr(whole.modes, name), atol=1e-3)
    best = torch.cat([part.modes.rotation[:, 0] for part in parts])
    assert float(rotation_distance(best, whole.modes.rotation[:, 0]).max()) < 0.1
    assert torch.allclose(torch.cat([part.shift_yx for part in parts]), whole.shift_yx, atol=1e-4)


def test_what_lies_outside_the_mask_does_not_matter() -> None:
    answer, given = reader(), images(3)
    other = given + 50.0 * (SHAPE.mask() == 0)
    first, second = answer(given), answer(other)
    assert torch.equal(first.modes.rotation, second.modes.rotation)
    assert torch.equal(first.shift_yx, second.shift_yx)


def test_half_precision_images_are_as_good() -> None:
    answer, given = reader(), images(3)
    first, second = answer(given), answer(given.half())
    assert torch.allclose(first.modes.probability, second.modes.probability, rtol=0.02)


def test_sharpness_makes_answers_surer_and_leaves_them_where_they_were() -> None:
    blunt, sharp = (reader(sharpness=factor)(images(6)) for factor in (1.0, 3.0))
    assert (sharp.modes.probability > blunt.modes.probability).all()
    apart = rotation_distance(sharp.modes.rotation[:, 0], blunt.modes.rotation[:, 0])
    assert float(apart.max()) < 0.1
    assert torch.equal(sharp.shift_yx, blunt.shift_yx)


def test_an_empty_image_has_a_finite_answer() -> None:
    found = reader()(torch.zeros(2, 2, 32, 32), top_k=3)
    modes: Modes = found.modes
    for values in (modes.rotation, modes.probability, modes.width, found.shift_yx):
        assert np.isfinite(values.numpy()).all()
