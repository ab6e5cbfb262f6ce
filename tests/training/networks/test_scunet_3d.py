"""SCUNet has the published size, refuses boxes that do not fit and normalises as described."""

import pytest
import torch
from plain_networks import scunet_weights

from icelens.core.errors import GeometryError
from icelens.training.networks.scunet_3d import (
    FilterResponseNorm3D,
    SCUNet3D,
    StochasticDepth,
    window_side,
)
from icelens.training.networks.window_attention_3d import WindowAttention3D

OFFSETS_OF_WINDOW_3, OFFSETS_OF_WINDOW_4 = 5**3, 7**3


@pytest.mark.parametrize(
    ("dim", "is_fast", "published"),
    [
        (32, True, 19_064_504),
        (32, False, 18_975_596),
        (64, False, 75_802_328),
        (64, True, 76_160_368),
    ],
)
def test_parameters_number_as_published(dim: int, *, is_fast: bool, published: int) -> None:
    with torch.device("meta"):
        tree = scunet_weights(dim, is_fast=is_fast)
    network = SCUNet3D(dim, is_fast=is_fast)
    assert sum(p.numel() for p in tree.parameters()) == published
    ours = sum(p.numel() for p in network.parameters())
    heads = sum(m.num_heads for m in network.modules() if isinstance(m, WindowAttention3D))
    # Ours holds position biases for the larger window; IsoNet2 counts its constant epsilons.
    wider_tables = heads * (OFFSETS_OF_WINDOW_4 - OFFSETS_OF_WINDOW_3)
    epsilons = sum(p.numel() for name, p in tree.named_parameters() if name.endswith(".eps"))
    assert ours == published + wider_tables - epsilons


def test_shape_is_kept_and_every_weight_learns() -> None:
    network, image = SCUNet3D(32, is_fast=True), torch.randn(1, 1, 48, 48, 48)
    restored = network(image)
    assert restored.shape == image.shape
    restored.square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    assert idle == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize(
    ("shape", "side"), [((48, 96, 48), 3), ((64, 64, 128), 4), ((192,) * 3, 3)]
)
def test_window_follows_the_box(shape: tuple[int, ...], side: int) -> None:
    assert window_side(shape) == side


@pytest.mark.parametrize("shape", [(80, 80, 80), (112, 112, 112), (48, 48, 64)])
def test_box_without_a_window_is_refused_with_those_that_have_one(shape: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match=r"multiples of 48.*multiples of 64"):
        window_side(shape)


def test_response_norm_does_not_see_the_scale_of_its_input() -> None:
    norm, features = FilterResponseNorm3D(3), torch.randn(2, 3, 4, 4, 4)
    # its epsilon, 1e-6 of a unit power, is all that differs
    torch.testing.assert_close(norm(5 * features), norm(features), rtol=1e-5, atol=1e-5)
    power = norm(features.abs()).square().mean(dim=(2, 3, 4))
    torch.testing.assert_close(power, torch.ones_like(power), rtol=1e-5, atol=1e-5)


def test_stochastic_depth_keeps_the_mean_and_rests_in_evaluation() -> None:
    drop, branch = StochasticDepth(0.25), torch.ones(4000, 1, 1, 1, 1)
    kept = drop(branch)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.75])
    # standard error of the mean: sqrt(0.25 / 0.75 / 4000) = 0.009
    assert float(kept.mean()) == pytest.approx(1, abs=0.04)
    assert drop.eval()(branch) is branch
