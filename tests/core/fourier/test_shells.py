"""Shell sums against a full transform in NumPy, and what must hold for any box."""

import numpy as np
import pytest
import torch

from icelens.core.fourier import shells
from icelens.core.fourier.shells import column_weights, shell_counts, shell_sums

SHAPES = [(8, 8, 8), (9, 9, 9), (6, 11, 14), (1, 5, 8), (12, 7, 3)]


def full_sums(power: np.ndarray) -> np.ndarray:
    """Sum over shells of a full transform, sample by sample."""
    n = max(power.shape)
    axes = np.meshgrid(*[np.fft.fftfreq(side) * n for side in power.shape], indexing="ij")
    shell = np.floor(np.sqrt(sum(axis**2 for axis in axes)) + 0.5).astype(int)
    return np.array([power[shell == k].sum() for k in range(n // 2 + 1)])


@pytest.mark.parametrize("shape", SHAPES)
def test_half_transform_sums_like_the_full_one(shape):
    box = np.random.default_rng(0).normal(size=shape)
    expected = full_sums(np.abs(np.fft.fftn(box)) ** 2)
    half = torch.from_numpy(np.abs(np.fft.rfftn(box)) ** 2)
    np.testing.assert_allclose(shell_sums(half, shape[2]), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_weighted_half_has_the_energy_of_the_box(shape):
    box = torch.randn(shape, dtype=torch.float64)
    power = torch.fft.rfftn(box).abs() ** 2 * column_weights(shape[2])
    assert float(power.sum()) == pytest.approx(float((box**2).sum()) * box.numel())  # Parseval


@pytest.mark.parametrize("shape", SHAPES)
def test_counts_are_whole_and_hold_the_sphere(shape):
    counts = shell_counts(shape)
    np.testing.assert_array_equal(counts, full_sums(np.ones(shape)))
    assert counts[0] == 1


def test_batches_and_planes_do_not_mix(monkeypatch):
    values = torch.rand(2, 3, 8, 6, 5)
    whole = shell_sums(values, 8)
    monkeypatch.setattr(shells, "_SAMPLES_AT_ONCE", 1)
    assert torch.allclose(shell_sums(values, 8), whole, rtol=1e-14)
    assert torch.allclose(shell_sums(values[1, 2], 8), whole[1, 2], rtol=1e-14)


def test_sums_are_differentiable():
    values = torch.rand(4, 4, 3, requires_grad=True)
    shell_sums(values, 4)[1].backward()
    assert values.grad is not None
    # zero itself lies in shell 0; its 6 neighbours and the 12 diagonal ones fill shell 1
    assert values.grad.nonzero().tolist()[0] == [0, 0, 1]
    assert float(values.grad.sum()) == float(shell_counts((4, 4, 4))[1]) == 18
