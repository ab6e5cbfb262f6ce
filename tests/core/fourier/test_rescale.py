"""Rescaling by what it must keep: positions, grey values, waves below Nyquist, and the way back."""

import math

import numpy as np
import pytest
import torch

from icelens.core.errors import MetadataError
from icelens.core.fourier.rescale import rescale, rescaled_side


@pytest.mark.parametrize("shape", [(8, 9, 10), (5, 16, 7)])
@pytest.mark.parametrize("factor", [2, 3])
def test_going_finer_and_back_loses_nothing(shape, factor):
    volume = torch.randn(shape)
    fine = rescale(volume, pixel_size=6.0, new_pixel_size=6.0 / factor)
    assert fine.shape == tuple(factor * side for side in shape)
    back = rescale(fine, pixel_size=6.0 / factor, new_pixel_size=6.0)
    assert torch.allclose(back, volume, atol=1e-5)
    # samples in common are untouched
    assert torch.allclose(fine[::factor, ::factor, ::factor], volume, atol=1e-5)


def test_halving_is_a_crop_of_the_transform():
    volume = np.random.default_rng(0).normal(size=(12, 12, 12))
    spectrum = np.fft.fftn(volume)
    keep = np.array([0, 1, 2, -2, -1])  # below the new Nyquist frequency, 3
    expected = np.zeros((6, 6, 6), complex)
    expected[np.ix_(keep, keep, keep)] = spectrum[np.ix_(keep, keep, keep)] / 8
    got = rescale(torch.from_numpy(volume).float(), pixel_size=1.0, new_pixel_size=2.0)
    spectrum_got = np.fft.fftn(got.double().numpy())
    np.testing.assert_allclose(
        spectrum_got[np.ix_(keep, keep, keep)], expected[np.ix_(keep, keep, keep)], atol=1e-4
    )


@pytest.mark.parametrize("new_pixel_size", [13.48, 7.3, 9.99, 20.0])
def test_a_blob_keeps_its_place_in_angstrom_and_its_grey_value(new_pixel_size):
    """Whatever the quotient: the pixel size of the result is the wanted one, not one nearby."""
    centre, width = torch.tensor([150.0, 280.0, 333.0]), 45.0

    def blob(sides: tuple[int, ...], pixel_size: float) -> torch.Tensor:
        grid = torch.meshgrid(*[torch.arange(side) * pixel_size for side in sides], indexing="ij")
        distance = sum((axis - c) ** 2 for axis, c in zip(grid, centre, strict=True))
        return 5.0 + torch.exp(-0.5 * distance / width**2)

    sides = (36, 60, 61)
    got = rescale(blob(sides, 10.0), pixel_size=10.0, new_pixel_size=new_pixel_size)
    assert got.shape == tuple(rescaled_side(side, 10.0, new_pixel_size) for side in sides)
    # the blob's tails are cut at 3 sigma, where a Gaussian is 0.01
    assert torch.allclose(got, blob(got.shape, new_pixel_size), atol=0.01)
    inner = (slice(3, -3),) * 3
    assert (got - blob(got.shape, new_pixel_size))[inner].abs().max() < 2e-3


def test_waves_beyond_the_new_nyquist_vanish_instead_of_folding_back():
    x = torch.arange(48)
    fast = torch.cos(2 * math.pi * 18 / 48 * x).expand(4, 4, 48)
    slow = torch.cos(2 * math.pi * 5 / 48 * x).expand(4, 4, 48)
    got = rescale(fast + slow, pixel_size=1.0, new_pixel_size=2.0)
    assert torch.allclose(got[0, 0], slow[0, 0, ::2], atol=1e-5)


@pytest.mark.parametrize("size", [0.0, -1.0, math.nan, math.inf])
def test_impossible_pixel_sizes_are_refused(size):
    with pytest.raises(MetadataError):
        rescaled_side(8, 10.0, size)


def test_volume_smaller_than_a_voxel_is_refused():
    with pytest.raises(MetadataError, match="less than one of 100 Å"):
        rescaled_side(4, 10.0, 100.0)
