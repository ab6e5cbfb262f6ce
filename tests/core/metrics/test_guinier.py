"""The slope of a Guinier plot is the B-factor that was put in."""

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.filters import apply_filter, b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius, shell_frequencies
from icelens.core.fourier.sharpening import fsc_weight, radial_amplitude
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.metrics.guinier import fit_guinier

SHAPE, PIXEL_SIZE = (64, 64, 64), 1.7
FREQUENCY = shell_frequencies(SHAPE, pixel_size=PIXEL_SIZE)


def blurred(b_factor: float) -> torch.Tensor:
    envelope = b_factor_envelope(frequency_radius(SHAPE, pixel_size=PIXEL_SIZE), b_factor)
    return apply_filter(torch.randn(SHAPE), envelope)


@pytest.mark.parametrize("b_factor", [0.0, 80.0, 200.0])
def test_b_factor_that_was_applied_comes_back_with_the_sign_that_undoes_it(b_factor):
    fit = fit_guinier(
        radial_amplitude(blurred(b_factor)), FREQUENCY, low_resolution=10.0, high_resolution=3.5
    )
    assert fit.b_factor == pytest.approx(-b_factor, abs=4.0)
    assert float((fit.line() - fit.log_amplitude)[fit.is_fitted].abs().max()) < 0.2
    resolution = 1.0 / FREQUENCY[fit.is_fitted]
    assert 3.5 <= float(resolution.min()) < float(resolution.max()) <= 10.0


def test_exact_line_is_found_exactly():
    amplitude = torch.exp(3.0 - 50.0 * FREQUENCY.square())
    fit = fit_guinier(amplitude, FREQUENCY, low_resolution=20.0, high_resolution=3.4)
    np.testing.assert_allclose([fit.slope, fit.intercept], [-50.0, 3.0], rtol=1e-9)


def test_noise_hides_the_b_factor_unless_weighted_by_the_fsc():
    signal = blurred(150.0)
    halves = [signal + 0.1 * torch.randn(SHAPE) for _ in range(2)]
    curve = fourier_shell_correlation(*halves, pixel_size=PIXEL_SIZE)
    amplitude = radial_amplitude((halves[0] + halves[1]) / 2).double()
    bounds = {"low_resolution": 10.0, "high_resolution": 4.0}
    plain = fit_guinier(amplitude, FREQUENCY, **bounds)
    weighted = fit_guinier(amplitude * fsc_weight(curve.correlation), FREQUENCY, **bounds)
    assert weighted.b_factor == pytest.approx(-150.0, abs=10.0)
    assert plain.b_factor > weighted.b_factor + 10.0


def test_too_few_shells_are_refused_and_empty_ones_left_out():
    amplitude = torch.ones(33)
    with pytest.raises(GeometryError, match="only 2 Fourier shells lie between 10 and 9 Å"):
        fit_guinier(amplitude, FREQUENCY, low_resolution=10.0, high_resolution=9.0)
    amplitude[20:] = 0.0
    fit = fit_guinier(amplitude, FREQUENCY, low_resolution=10.0, high_resolution=3.4)
    assert int(fit.is_fitted.nonzero()[-1]) == 19
    assert fit.b_factor == pytest.approx(0.0, abs=1e-9)
