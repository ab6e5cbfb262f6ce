"""Filters by their analytic properties and by a second, independent writing of the formulas."""

import math

import numpy as np
import pytest
import torch

from icelens.core.errors import MetadataError
from icelens.core.fourier.filters import (
    apply_filter,
    b_factor_envelope,
    clip_first_peak,
    high_pass,
    low_pass,
    wiener_curve,
)
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.optics.ctf import ctf

FREQUENCY = torch.linspace(0, 0.05, 400)
CURVE = ctf(FREQUENCY, 35000.0).abs()
PEAK = int(np.flatnonzero(np.diff(CURVE.numpy()) < 0)[0])


def test_b_factor_blurs_a_point_to_a_gaussian_of_the_stated_width():
    n, b_factor = 32, 150.0
    point = torch.zeros(n, n, n)
    point[n // 2, n // 2, n // 2] = 1.0
    blurred = apply_filter(point, b_factor_envelope(frequency_radius((n, n, n)), b_factor))
    profile = blurred.sum((0, 1)).double()
    x = torch.arange(n) - n // 2
    variance = float((profile * x**2).sum() / profile.sum())
    assert math.sqrt(variance) == pytest.approx(math.sqrt(b_factor / 2) / (2 * math.pi), rel=1e-3)


def test_filtering_keeps_an_odd_shape_and_a_flat_filter_changes_nothing():
    box = torch.randn(2, 5, 6, 7)
    assert torch.allclose(apply_filter(box, torch.ones(5, 6, 4)), box, atol=1e-6)


def test_pass_bands_end_where_they_say_and_add_up_to_one():
    frequency = torch.tensor([0.0, 0.044, 0.0475, 0.0501, 0.3])
    low = low_pass(frequency, 20.0)
    np.testing.assert_allclose(low, [1.0, 1.0, 0.5, 0.0, 0.0], atol=1e-6)
    assert torch.allclose(low + high_pass(frequency, 20.0), torch.ones(5))


def test_first_peak_is_filled_as_each_mode_says():
    p, curve = PEAK, CURVE.double().numpy()
    i = np.arange(p)
    below = {
        0: curve[:p],
        1: np.full(p, curve[p]),
        2: np.maximum(curve[:p], curve[p] * (1 - np.sin(np.pi * i / (2 * p)))),
        3: np.maximum(curve[:p], curve[p] * np.cos(np.pi * i / (2 * p))),
    }
    for mode, expected in below.items():
        clipped = clip_first_peak(CURVE, mode)
        np.testing.assert_allclose(clipped[:p], expected, atol=1e-6)
        assert torch.equal(clipped[p:], CURVE[p:])
        assert (clipped >= CURVE).all()


def test_curve_without_a_peak_stays_as_it_is():
    rising = torch.linspace(0, 1, 50)
    for curve in (rising, rising.flip(0), torch.ones(50), torch.ones(1)):
        assert torch.equal(clip_first_peak(curve, 1), curve)


def test_unknown_mode_is_refused():
    with pytest.raises(MetadataError, match="expected 0, 1, 2 or 3"):
        clip_first_peak(CURVE, 4)


def wiener_in_numpy(transfer, pixel_size, falloff, strength, highpass):
    result = []
    for x, value in zip(np.linspace(0, 1, len(transfer)), transfer, strict=True):
        ramp = 1 - math.cos(math.pi * min(1, x / highpass))
        snr = math.exp(-100 * falloff * x / pixel_size) * 10**strength * ramp + 1e-6
        result.append(value / (value**2 + 1 / snr))
    return result


@pytest.mark.parametrize(("falloff", "strength", "highpass"), [(0, 1, 0.02), (0.7, 1.5, 0.1)])
def test_wiener_filter_follows_its_formula(falloff, strength, highpass):
    got = wiener_curve(
        CURVE,
        torch.linspace(0, 1, 400),
        10.0,
        snr_falloff=falloff,
        strength=strength,
        highpass_nyquist=highpass,
    )
    expected = wiener_in_numpy(CURVE.double().numpy(), 10.0, falloff, strength, highpass)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)  # float32 through exp and cos


def test_wiener_filter_inverts_where_the_ratio_is_high_and_is_finite_at_zeros():
    transfer = torch.tensor([1.0, 0.5, 0.0, -0.5])
    got = wiener_curve(
        transfer, torch.ones(4), 10.0, snr_falloff=0.0, strength=8.0, highpass_nyquist=0.0
    )
    np.testing.assert_allclose(got, [1.0, 2.0, 0.0, -2.0], rtol=1e-6)
