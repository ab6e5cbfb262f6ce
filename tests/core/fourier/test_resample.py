"""Resampling keeps the centre pixel and what both grids can hold, and folds nothing back."""

import math

import pytest
import torch

from icelens.core.fourier.resample import centred_resampling, resample_images

SIZES = [(32, 32), (33, 24), (24, 33), (31, 64), (64, 31), (2, 16)]


def matrix(num_in: int, num_out: int, size: float, new: float) -> torch.Tensor:
    return centred_resampling(num_in, num_out, pixel_size=size, new_pixel_size=new)


def gaussian(num: int, pixel_size: float, width: float, centre: float = 0.0) -> torch.Tensor:
    place = (torch.arange(num) - num // 2) * pixel_size
    return torch.exp(-0.5 * ((place - centre) / width) ** 2)


@pytest.mark.parametrize("num", [16, 17, 64])
def test_the_same_grid_changes_nothing(num: int) -> None:
    assert torch.allclose(matrix(num, num, 1.7, 1.7), torch.eye(num), atol=1e-6)


@pytest.mark.parametrize(("num_in", "num_out"), SIZES)
def test_the_centre_pixel_stays_the_centre_pixel(num_in: int, num_out: int) -> None:
    row = matrix(num_in, num_out, 2.0, 2.0)[num_out // 2]
    expected = torch.zeros(num_in)
    expected[num_in // 2] = 1.0
    assert torch.allclose(row, expected, atol=1e-6)


@pytest.mark.parametrize(("size", "new"), [(1.7, 3.0), (3.0, 1.7), (1.0, 4.0), (1.31, 1.31)])
def test_a_smooth_curve_is_found_where_it_lies_in_angstrom(size: float, new: float) -> None:
    # 14 Å wide: 4 standard deviations of its transform lie within either Nyquist frequency
    before = gaussian(120, size, 14.0, centre=5.0)
    after = matrix(120, 51, size, new) @ before
    expected = gaussian(51, new, 14.0, centre=5.0)
    place = (torch.arange(51) - 25).abs() * new
    inside = place < 0.5 * 120 * size
    assert torch.allclose(after[inside], expected[inside], atol=2e-3)


def test_what_the_coarse_grid_cannot_hold_is_gone_rather_than_folded_back() -> None:
    fine = torch.cos(2.0 * math.pi * 20.0 * torch.arange(64) / 64)
    assert (matrix(64, 32, 1.0, 2.0) @ fine).abs().max() < 1e-5
    coarse = torch.cos(2.0 * math.pi * 4.0 * (torch.arange(64) - 32) / 64)
    kept = torch.cos(2.0 * math.pi * 4.0 * (torch.arange(32) - 16) / 32)
    assert torch.allclose(matrix(64, 32, 1.0, 2.0) @ coarse, kept, atol=1e-5)


def test_samples_that_the_old_box_does_not_reach_are_zero() -> None:
    enlarged = matrix(16, 40, 3.0, 3.0) @ torch.ones(16)
    assert torch.allclose(enlarged[12:28], torch.ones(16), atol=1e-5)
    assert not enlarged[:12].any()
    assert not enlarged[28:].any()


def test_both_axes_are_resampled_alike_and_apart() -> None:
    image = gaussian(40, 2.0, 14.0, 6.0)[:, None] * gaussian(40, 2.0, 14.0, -4.0)
    resampled = resample_images(image.expand(3, 2, 40, 40), matrix(40, 24, 2.0, 3.0))
    expected = gaussian(24, 3.0, 14.0, 6.0)[:, None] * gaussian(24, 3.0, 14.0, -4.0)
    assert resampled.shape == (3, 2, 24, 24)
    # the curve is not periodic: the border rings a little
    assert torch.allclose(resampled[2, 1, 3:-3, 3:-3], expected[3:-3, 3:-3], atol=1e-2)
