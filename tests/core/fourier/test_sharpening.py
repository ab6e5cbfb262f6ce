"""Sharpening undoes what an envelope did, leaves low resolution alone, and raises no emptiness."""

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.filters import apply_filter, b_factor_envelope, low_pass
from icelens.core.fourier.frequencies import frequency_radius, shell_frequencies
from icelens.core.fourier.sharpening import (
    MOST_GAIN,
    fsc_weight,
    power_law_weight,
    radial_amplitude,
    sharpening_weight,
    weigh_shells,
)
from icelens.core.optics.correction import radial

SHAPE, PIXEL_SIZE = (32, 40, 36), 4.0


def white() -> torch.Tensor:
    return torch.randn(SHAPE)


def test_white_noise_has_a_flat_amplitude_that_offsets_and_masks_outside_do_not_change():
    amplitude = radial_amplitude(white() + 50.0)
    assert amplitude[0] < 0.01 * amplitude[6]  # rounding of the mean in float32
    # unit variance: amplitude sqrt(number of voxels), spread by few samples in the first shells
    np.testing.assert_allclose(amplitude[6:], np.sqrt(32 * 40 * 36), rtol=0.06)
    mask = torch.zeros(SHAPE)
    mask[8:24, 10:30, 10:26] = 1.0
    inside = white() + 50.0
    outside = torch.where(mask > 0, inside, 1e4)
    assert torch.allclose(
        radial_amplitude(inside, mask), radial_amplitude(outside, mask), rtol=1e-3
    )


def test_flattening_inverts_a_b_factor_beyond_the_resolution_only():
    b_factor = 300.0
    radius = frequency_radius(SHAPE, pixel_size=PIXEL_SIZE)
    blurred = apply_filter(white(), b_factor_envelope(radius, b_factor))
    weight = power_law_weight(
        radial_amplitude(blurred), SHAPE, pixel_size=PIXEL_SIZE, low_resolution=40.0
    )
    frequency = shell_frequencies(SHAPE, pixel_size=PIXEL_SIZE)
    start = 4  # 160 Å / 40 Å
    assert (weight[: start + 1] == 1).all()
    expected = torch.exp(b_factor / 4 * (frequency**2 - frequency[start] ** 2))
    # one draw of noise: shells hold some hundred samples, that of the start less
    np.testing.assert_allclose(weight[start + 3 :], expected[start + 3 :], rtol=0.2)
    last = (len(weight) - 1) / max(SHAPE)
    sharpened = apply_filter(blurred, radial(weight.float(), SHAPE, last_frequency=last))
    flat = radial_amplitude(sharpened)[start + 1 :]
    assert float(flat.std() / flat.mean()) < 0.02


def test_exponent_is_the_slope_of_what_comes_out():
    amplitude = radial_amplitude(white())
    weight = power_law_weight(
        amplitude, SHAPE, pixel_size=PIXEL_SIZE, low_resolution=40.0, exponent=2.0
    )
    result = (amplitude * weight)[6:].log()
    frequency = shell_frequencies(SHAPE, pixel_size=PIXEL_SIZE)[6:].log()
    slope = np.polyfit(frequency, result, 1)[0]
    assert slope == pytest.approx(-2.0, abs=0.01)


def test_empty_shells_are_not_raised_beyond_bounds_and_fine_ones_can_be_cut():
    limited = apply_filter(white(), low_pass(frequency_radius(SHAPE), 1 / 0.3))
    amplitude = radial_amplitude(limited)
    weight = power_law_weight(amplitude, SHAPE, pixel_size=PIXEL_SIZE, low_resolution=40.0)
    assert weight.isfinite().all()
    assert weight.max() <= MOST_GAIN
    assert (amplitude * weight)[-4:].max() < 1e-2 * amplitude[4]
    cut = power_law_weight(
        amplitude, SHAPE, pixel_size=PIXEL_SIZE, low_resolution=40.0, high_resolution=20.0
    )
    frequency = shell_frequencies(SHAPE, pixel_size=PIXEL_SIZE)
    assert (cut[frequency > 1 / 20.0 + 1e-9] == 0).all()


def test_resolution_that_cannot_be_held_is_refused():
    with pytest.raises(GeometryError, match="Nyquist"):
        power_law_weight(torch.ones(21), SHAPE, pixel_size=PIXEL_SIZE, low_resolution=5.0)


def test_weight_of_the_fsc_is_cut_at_the_first_crossing_for_good():
    correlation = torch.tensor([1.0, 0.9, 0.5, 0.143, 0.1, 0.6, -0.2]).double()
    weight = fsc_weight(correlation)
    expected = [1.0, (1.8 / 1.9) ** 0.5, (1.0 / 1.5) ** 0.5, (0.286 / 1.143) ** 0.5, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(weight, expected, rtol=1e-6)
    assert (fsc_weight(torch.ones(5).double()) == 1).all()  # never falls
    assert fsc_weight(torch.tensor([1.0, 0.1, 0.9]).double()).tolist() == [1.0, 0.0, 0.0]
    assert (fsc_weight(torch.tensor([1.0, float("nan"), 0.9]).double())[1:] == 0).all()


def test_fsc_weight_is_the_correlation_of_the_mean_with_the_truth():
    # the mean of two halves with as much noise as signal each
    fsc = torch.full((21,), 0.5).double()
    signal = white()
    mean = signal + white() / 2**0.5
    correlation = float((mean * signal).sum() / mean.norm() / signal.norm())
    assert float(fsc_weight(fsc)[3]) == pytest.approx(correlation, abs=0.01)


def test_negative_b_factor_undoes_the_envelope_up_to_the_resolution():
    blurred = apply_filter(
        white(), b_factor_envelope(frequency_radius(SHAPE, pixel_size=PIXEL_SIZE), 200.0)
    )
    frequency = shell_frequencies(SHAPE, pixel_size=PIXEL_SIZE)
    fsc = torch.ones_like(frequency)
    weight = sharpening_weight(fsc, frequency, b_factor=-200.0, resolution=10.0)
    sharp = weigh_shells(blurred, weight)
    amplitude = radial_amplitude(sharp)
    flat = amplitude[(frequency > 0.03) & (frequency < 0.09)]
    assert float(flat.std() / flat.mean()) < 0.05
    assert amplitude[frequency > 0.1 + 1e-9].max() < 1e-3 * flat.mean()


def test_corners_beyond_nyquist_are_emptied():
    result = weigh_shells(white(), torch.ones(21))
    power = torch.fft.rfftn(result).abs()
    assert power[frequency_radius(SHAPE) > 0.53].max() < 1e-3 * power.mean()
