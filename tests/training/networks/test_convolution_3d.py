"""The fast convolutions against torch's own, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from icelens.training.networks import convolution_3d
from icelens.training.networks.convolution_3d import convolve_same, convolve_to_one

SHAPES = [
    (1, 3, 8, 6, 10),  # alone and small: the path in two halves
    (1, 1, 4, 4, 4),
    (2, 3, 6, 6, 6),
    (1, 3, 5, 4, 6),  # an odd number of planes cannot be halved
]
FLOAT32 = {"rtol": 1e-4, "atol": 1e-4}  # sums of 81 products of unit numbers in another order


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_out", [1, 5])
def test_values_and_gradients_are_those_of_conv3d(shape: tuple[int, ...], num_out: int) -> None:
    features = torch.randn(shape, requires_grad=True)
    weight = torch.randn(num_out, shape[1], 3, 3, 3, requires_grad=True)
    bias = torch.randn(num_out, requires_grad=True)
    convolve = convolve_to_one if num_out == 1 else convolve_same
    found = convolve(features, weight, bias)
    expected = F.conv3d(features, weight, bias, padding=1)
    torch.testing.assert_close(found, expected, **FLOAT32)
    grad = torch.randn_like(expected)
    inputs = (features, weight, bias)
    for ours, theirs in zip(
        torch.autograd.grad(found, inputs, grad),
        torch.autograd.grad(expected, inputs, grad),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, **FLOAT32)


def test_bias_may_be_absent() -> None:
    features, weight = torch.randn(1, 2, 4, 4, 4), torch.randn(1, 2, 3, 3, 3)
    expected = F.conv3d(features, weight, padding=1)
    torch.testing.assert_close(convolve_same(features, weight), expected, **FLOAT32)
    torch.testing.assert_close(convolve_to_one(features, weight), expected, **FLOAT32)


def test_gradient_to_one_channel_passes_finite_differences() -> None:
    features = torch.randn(2, 2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(1, 2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(convolve_to_one, (features, weight))


def test_a_small_map_alone_reaches_torch_as_two(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []

    def spy(features: torch.Tensor, *others: object, **options: object) -> torch.Tensor:
        batches.append(len(features))
        return plain(features, *others, **options)

    plain = F.conv3d
    monkeypatch.setattr(convolution_3d.F, "conv3d", spy)
    weight = torch.randn(4, 4, 3, 3, 3)
    convolve_same(torch.randn(1, 4, 8, 8, 8), weight)
    convolve_same(torch.randn(1, 4, 80, 80, 2), weight)  # 25,600 values: oneDNN takes it as it is
    with torch.autocast("cpu", torch.bfloat16):
        convolve_same(torch.randn(1, 4, 8, 8, 8), weight)
    assert batches == [2, 1, 1]


@pytest.mark.parametrize("side", [(1, 1, 1), (2, 2, 2), (2, 4, 4)])
def test_bfloat16_of_maps_smaller_than_the_kernel_reads_no_foreign_memory(
    side: tuple[int, int, int],
) -> None:
    features = torch.randn(1, 4, *side, requires_grad=True)
    weight = torch.randn(8, 4, 3, 3, 3, requires_grad=True)
    for _ in range(3):
        for size in (100, 1_000, 10_000, 100_000):  # what is freed is taken again, full of NaN
            torch.full((size,), float("nan"))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            convolved = convolve_same(features, weight)
        gradients = torch.autograd.grad(convolved.float().square().sum(), (features, weight))
        expected = torch.nn.functional.conv3d(features, weight, padding=1)
        torch.testing.assert_close(convolved.float(), expected, rtol=0.02, atol=0.02)
        assert all(gradient.isfinite().all() for gradient in gradients)
