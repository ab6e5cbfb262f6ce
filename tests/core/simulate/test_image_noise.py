"""Noise has the variance and the spectrum that it says."""

import pytest
import torch

from icelens.core.fourier.shells import column_weights
from icelens.core.simulate.image_noise import image_noise, noise_power


@pytest.mark.parametrize("kind", ["white", "coloured"])
def test_variance_of_a_pixel_is_one(kind):
    noise = image_noise(200, 32, 3.0, kind, torch.Generator().manual_seed(0))
    assert float(noise.var()) == pytest.approx(1.0, rel=0.02)  # 200k values, few correlated
    assert abs(float(noise.mean())) < 0.03


def test_coloured_noise_has_its_spectrum():
    noise = image_noise(400, 32, 3.0, "coloured", torch.Generator().manual_seed(0))
    measured = (torch.fft.rfft2(noise).abs() ** 2).mean(dim=0) / 32**2
    # mean of 400 exponential variables: 5 % each
    assert float((measured / noise_power(32, 3.0) - 1.0).abs().mean()) < 0.06


def test_power_falls_outwards_and_has_mean_one():
    power = noise_power(33, 2.0)
    assert float((power * column_weights(33)).sum() / 33**2) == pytest.approx(1.0, rel=1e-5)
    assert bool((power[0, 1:] < power[0, :-1]).all())
