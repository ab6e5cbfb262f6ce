"""Normalising and activating in one pass gives what the two give, forwards and backwards."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from icelens.training.networks.segmentation.normalise_activate import (
    NormaliseActivate,
    normalise_activate,
)

LAYOUTS = [torch.contiguous_format, torch.channels_last_3d]


def plain(features: Tensor, slope: Tensor) -> Tensor:
    return F.prelu(F.instance_norm(features), slope)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("slope", [0.25, 0.0, -0.5])
def test_result_and_gradients_are_those_of_the_two_steps(
    layout: torch.memory_format, slope: float
) -> None:
    features = (torch.randn(2, 5, 6, 7, 8) * 3 + 1).contiguous(memory_format=layout)
    weight = torch.randn(2, 5, 6, 7, 8)
    answers = []
    for function in (normalise_activate, plain):
        inputs = features.clone().requires_grad_(), torch.tensor([slope], requires_grad=True)
        result = function(*inputs)
        answers.append((result, *torch.autograd.grad((result * weight).sum(), inputs)))
    for ours, theirs in zip(*answers, strict=True):
        # float32 sums in another order
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_far_mean_costs_no_precision() -> None:
    features = (torch.randn(1, 3, 24, 24, 24) + 100).to(memory_format=torch.channels_last_3d)
    exact = plain(features.double(), torch.tensor([0.25], dtype=torch.float64))
    # the values themselves are known to 100 x 6e-8; F.instance_norm is no nearer
    assert (normalise_activate(features, torch.tensor([0.25])) - exact).abs().max() < 1e-4


@torch.no_grad()
def test_without_gradient_the_result_is_the_same_and_the_input_stays() -> None:
    features = torch.randn(2, 3, 4, 4, 4)
    before = features.clone()
    torch.testing.assert_close(
        normalise_activate(features, torch.tensor([0.1])), plain(features, torch.tensor([0.1]))
    )
    assert torch.equal(features, before)


def test_bfloat16_maps_are_normalised_with_float32_statistics() -> None:
    features = torch.randn(1, 4, 16, 16, 16).bfloat16().requires_grad_()
    slope = torch.tensor([0.25])
    result = normalise_activate(features, slope)
    assert result.dtype == torch.bfloat16
    exact = plain(features.float(), slope)
    assert (result.float() - exact).abs().max() < 0.03  # half a step of bfloat16 at 4
    result.float().square().sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_dropout_drops_while_training_only() -> None:
    layer = NormaliseActivate(dropout=0.5)
    features = torch.randn(1, 2, 6, 6, 6)
    share = (layer(features) == 0).float().mean()
    assert 0.3 < share < 0.7
    assert torch.equal(layer.eval()(features), layer(features))
    torch.testing.assert_close(layer(features), plain(features, torch.tensor([0.25])))


def test_a_single_voxel_is_refused_as_by_torch() -> None:
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        normalise_activate(torch.randn(1, 2, 1, 1, 1), torch.tensor([0.25]))
