"""Noise shaped like a reconstruction's."""

import pytest
import torch

from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.optics.noise import noise_amplitude


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("filter_name", ["none", "ramp", "hamming"])
def test_filtered_white_noise_has_unit_variance_inside_the_wedge(filter_name: str, n: int) -> None:
    measured = measured_mask((n, n, n), TiltScheme(-50.0, 60.0))
    amplitude = noise_amplitude(measured, filter_name=filter_name)
    assert float(amplitude[measured == 0].abs().max()) == 0.0
    white = torch.fft.rfftn(torch.randn(20, n, n, n), dim=(-3, -2, -1))
    noise = torch.fft.irfftn(white * amplitude, s=(n, n, n), dim=(-3, -2, -1))
    # some 80000 samples, correlated over the few voxels that the strongest frequencies span
    assert float(noise.var()) == pytest.approx(1.0, rel=0.1)
    assert float(noise.mean((-3, -2, -1)).abs().max()) < 1e-6  # the grey level stays


def test_power_falls_with_the_distance_from_the_tilt_axis_as_the_filter_says() -> None:
    full = torch.ones(32, 32, 17)
    power = {
        name: noise_amplitude(full, filter_name=name)[0, 0].square()
        for name in ("none", "ramp", "hamming")
    }
    # 1 / k without a filter, k with a ramp: from k = 4 to k = 8 a half, and twice as much
    assert float(power["none"][8] / power["none"][4]) == pytest.approx(0.5)
    assert float(power["ramp"][8] / power["ramp"][4]) == pytest.approx(2.0)
    hamming = (0.54 / (0.54 + 0.46 * 2**-0.5)) ** 2
    assert float(power["hamming"][8] / power["hamming"][4]) == pytest.approx(2.0 * hamming)
