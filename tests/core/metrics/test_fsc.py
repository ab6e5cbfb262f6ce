"""Fourier shell correlation by its properties and against a plain NumPy writing of the formula."""

import math
from inspect import unwrap

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.filters import apply_filter, b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.fourier.shells import shell_counts
from icelens.core.metrics.fsc import (
    ShellCorrelation,
    fourier_shell_correlation,
    mean_correlation,
    region_correlation,
    resolution_at,
)
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask

SHAPES = [(16, 16, 16), (15, 15, 15), (10, 24, 17)]
FLOAT32 = 1e-5  # what float32 transforms leave of a correlation of 1


def pair(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    signal = torch.randn(shape)
    return signal + 0.7 * torch.randn(shape), signal + 0.7 * torch.randn(shape)


def fsc_in_numpy(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Over the full transform, shell by shell, no symmetry used."""
    fa, fb = np.fft.fftn(a), np.fft.fftn(b)
    n = max(a.shape)
    axes = np.meshgrid(*[np.fft.fftfreq(side) * n for side in a.shape], indexing="ij")
    shell = np.floor(np.sqrt(sum(axis**2 for axis in axes)) + 0.5).astype(int)
    values = [1.0]
    for k in range(1, n // 2 + 1):
        w = weight[shell == k]
        x, y = fa[shell == k], fb[shell == k]
        cross = (w * x * y.conj()).sum().real
        values.append(cross / np.sqrt((w * abs(x) ** 2).sum() * (w * abs(y) ** 2).sum()))
    return np.array(values)


@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_the_formula_over_the_full_transform(shape):
    a, b = pair(shape)
    got = fourier_shell_correlation(a, b, pixel_size=5.0)
    expected = fsc_in_numpy(a.double().numpy(), b.double().numpy(), np.ones(shape))
    np.testing.assert_allclose(got.correlation, expected, atol=FLOAT32)
    n = max(shape)
    np.testing.assert_allclose(got.spatial_frequency, np.arange(n // 2 + 1) / (n * 5.0))


def test_region_weighs_like_the_full_weight_it_stands_for():
    shape = (12, 16, 14)
    a, b = pair(shape)
    weight = 0.1 + np.random.default_rng(0).random(shape)
    # a weight of a real map is even: average it with its mirror image through zero
    weight = (weight + np.roll(np.flip(weight), 1, (0, 1, 2))) / 2
    half = torch.from_numpy(weight[..., : shape[2] // 2 + 1]).float()
    got = fourier_shell_correlation(a, b, pixel_size=1.0, region=half)
    expected = fsc_in_numpy(a.double().numpy(), b.double().numpy(), weight)
    np.testing.assert_allclose(got.correlation, expected, atol=FLOAT32)


@pytest.mark.parametrize("shape", SHAPES)
def test_map_correlates_fully_with_itself_whatever_scale_offset_and_isotropic_filter(shape):
    volume = torch.randn(shape)
    blurred = apply_filter(volume, b_factor_envelope(frequency_radius(shape), 20.0))
    for other, expected in ((volume, 1), (0.03 * volume + 7, 1), (-volume, -1), (4e5 + volume, 1)):
        curve = fourier_shell_correlation(volume, other, pixel_size=1.0)
        # adding 4e5 to float32 rounds the map itself to 0.03, a part in 1000 of its power
        np.testing.assert_allclose(curve.correlation[1:], expected, atol=1e-3)
    curve = fourier_shell_correlation(volume, blurred, pixel_size=1.0)
    if len(set(shape)) == 1:
        # within a shell of finite width a filter varies, by this much and no more
        assert (curve.correlation > 0.995).all()
    assert curve.correlation[0] == 1.0


def test_isotropic_filters_do_not_change_a_curve():
    shape = (24, 24, 24)
    a, b = pair(shape)
    filtered = apply_filter(a, b_factor_envelope(frequency_radius(shape), 10.0))
    before = fourier_shell_correlation(a, b, pixel_size=1.0).correlation
    after = fourier_shell_correlation(filtered, b, pixel_size=1.0).correlation
    assert torch.allclose(before, after, atol=0.01)  # the filter varies within a shell


def test_independent_noise_gives_the_expected_signal_share():
    a, b = pair((40, 40, 40))
    curve = fourier_shell_correlation(a, b, pixel_size=1.0)
    # signal power 1, noise 0.49: correlation 1 / 1.49; spread 1/sqrt(count / 2)
    assert float(curve.correlation[10:].mean()) == pytest.approx(1 / 1.49, abs=0.02)


def test_measured_and_missing_counts_add_up_to_all():
    shape = (20, 32, 24)
    region = measured_mask(shape, TiltScheme(-60.0, 60.0))
    a, b = pair(shape)
    parts = [
        fourier_shell_correlation(a, b, pixel_size=1.0, region=r).count
        for r in (region, 1.0 - region)
    ]
    assert torch.allclose(parts[0] + parts[1], shell_counts(shape), rtol=1e-6)


def test_zeroed_region_correlates_zero_and_the_rest_fully():
    shape = (24, 24, 24)
    region = measured_mask(shape, TiltScheme(-50.0, 50.0))
    # the Nyquist planes of the half transform hold both signs and are left out of the comparison
    volume = torch.randn(shape)
    wedged = apply_filter(volume, region)
    inside = fourier_shell_correlation(volume, wedged, pixel_size=1.0, region=region)
    outside = fourier_shell_correlation(volume, wedged, pixel_size=1.0, region=1.0 - region)
    assert (inside.correlation[:-1] > 1 - FLOAT32).all()
    assert outside.correlation[1:-1].abs().max() == 0.0, "rounding is not a signal"
    assert region_correlation(volume, wedged, region) == pytest.approx(1.0, abs=0.01)
    assert abs(region_correlation(volume, wedged, 1.0 - region)) < 0.01


def test_region_correlation_over_everything_is_that_of_the_maps():
    shape = (16, 16, 16)
    a, b = pair(shape)
    sphere = (frequency_radius(shape) < 0.5).float()
    a, b = apply_filter(a, sphere), apply_filter(b, sphere)
    expected = np.corrcoef(a.ravel().numpy(), b.ravel().numpy())[0, 1]
    assert region_correlation(a, b, torch.ones(16, 16, 9)) == pytest.approx(expected, abs=1e-4)


def test_mask_hides_what_lies_outside_and_offsets_within():
    shape = (24, 24, 24)
    a = torch.randn(shape)
    b = a + 50.0
    mask = torch.zeros(shape)
    mask[6:18, 6:18, 6:18] = 1.0
    b = torch.where(mask > 0, b, torch.randn(shape))
    curve = fourier_shell_correlation(a, b, pixel_size=1.0, mask=mask)
    assert (curve.correlation > 1 - 1e-4).all()  # values near 50 in float32


def test_batch_gives_the_curve_of_each():
    a, b = torch.randn(3, 8, 10, 12), torch.randn(3, 8, 10, 12)
    batch = fourier_shell_correlation(a, b, pixel_size=2.0)
    assert batch.correlation.shape == (3, 7)
    one = fourier_shell_correlation(a[1], b[1], pixel_size=2.0)
    assert torch.allclose(batch.correlation[1], one.correlation)


def test_constant_map_correlates_zero_and_nan_stays_nan():
    volume = torch.randn(8, 8, 8)
    constant = fourier_shell_correlation(volume, torch.full_like(volume, 2.0), pixel_size=1.0)
    assert constant.correlation.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    broken = volume.clone()
    broken[0, 0, 0] = math.nan
    curve = fourier_shell_correlation(volume, broken, pixel_size=10.0)
    assert curve.correlation[1:].isnan().all()
    assert math.isnan(resolution_at(curve, 0.5))
    assert math.isnan(mean_correlation(curve, 80.0, 20.0))


def test_half_precision_is_not_transformed_in_half_precision():
    volume = torch.randn(16, 16, 16)
    curve = fourier_shell_correlation(volume.half() * 1000, volume.half() * 1000, pixel_size=1.0)
    assert torch.allclose(curve.correlation, torch.ones(9, dtype=torch.float64))


def test_maps_region_or_mask_of_another_shape_are_refused():
    # users run without the checks of shapes that the tests switch on
    correlate, of_region = unwrap(fourier_shell_correlation), unwrap(region_correlation)
    a = torch.randn(8, 8, 8)
    with pytest.raises(GeometryError, match=r"differ in shape"):
        correlate(a[:-1], a[1:, :7], pixel_size=1.0)
    with pytest.raises(GeometryError, match=r"the mask has"):
        correlate(a, a, pixel_size=1.0, mask=torch.ones(8, 8, 6))
    with pytest.raises(GeometryError, match=r"the region has"):
        of_region(a, a, torch.ones(8, 8, 8))
    with pytest.raises(GeometryError, match="no Fourier shells"):
        correlate(a[:1, :1, :1], a[:1, :1, :1], pixel_size=1.0)


def line(values: list[float], counts: list[float] | None = None) -> ShellCorrelation:
    frequency = torch.arange(len(values), dtype=torch.float64) / 100.0
    count = torch.ones_like(frequency) if counts is None else torch.tensor(counts).double()
    return ShellCorrelation(frequency, torch.tensor(values).double(), count)


def test_resolution_is_interpolated_at_the_first_crossing():
    curve = line([1.0, 0.9, 0.7, 0.3, 0.8, 0.0])
    assert resolution_at(curve, 0.5) == pytest.approx(1 / 0.025)
    assert resolution_at(curve, 0.2) == pytest.approx(1 / 0.0475)
    assert resolution_at(curve, -0.1) == pytest.approx(1 / 0.05), "no finer than the sampling"


def test_shells_without_samples_do_not_count():
    curve = line([1.0, 0.0, 0.8, 0.2], [1, 0, 5, 5])
    assert resolution_at(curve, 0.5) == pytest.approx(1 / 0.025)
    assert mean_correlation(curve, 100.0, 50.0) == pytest.approx(0.8)


def test_mean_takes_the_shells_between_two_resolutions_inclusive():
    curve = line([1.0, 0.8, 0.6, 0.4, 0.2])
    assert mean_correlation(curve, 100.0, 100 / 3) == pytest.approx(0.6)
    with pytest.raises(GeometryError, match="no Fourier shell lies between 9 and 8 Å"):
        mean_correlation(curve, 9.0, 8.0)


def test_batch_or_empty_region_has_no_single_resolution():
    batch = ShellCorrelation(torch.zeros(3), torch.zeros(2, 3), torch.ones(3))
    with pytest.raises(GeometryError, match="one curve"):
        resolution_at(batch, 0.5)
    with pytest.raises(GeometryError, match="region is empty"):
        resolution_at(line([1.0, 0.5], [0, 0]), 0.5)
