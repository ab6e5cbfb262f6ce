"""Frequencies and shells, against NumPy and by hand."""

import math

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.fourier.frequencies import (
    frequency_radius,
    num_shells,
    resolution_of_shell,
    shell_frequencies,
    shell_of_resolution,
)


@pytest.mark.parametrize("shape", [(8, 8, 8), (7, 12, 5), (1, 4, 9)])
def test_radius_is_that_of_numpy_in_either_unit(shape):
    z, y, x = np.meshgrid(
        np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), np.fft.rfftfreq(shape[2]), indexing="ij"
    )
    expected = np.sqrt(z**2 + y**2 + x**2)
    np.testing.assert_allclose(frequency_radius(shape), expected, atol=1e-7)  # float32
    np.testing.assert_allclose(frequency_radius(shape, pixel_size=4.0), expected / 4, atol=1e-7)


def test_last_shell_of_an_even_box_is_nyquist():
    assert shell_frequencies((16, 40, 20), pixel_size=5.0)[-1] == pytest.approx(1 / 10.0)


def test_shell_and_resolution_invert_each_other():
    shape = (12, 30, 21)
    for shell in range(1, num_shells(shape)):
        resolution = resolution_of_shell(shell, shape, pixel_size=3.3)
        assert shell_of_resolution(resolution, shape, pixel_size=3.3) == shell
    assert resolution_of_shell(0, shape, pixel_size=3.3) == math.inf


@pytest.mark.parametrize("resolution", [5.0, 0.0, -3.0, math.nan])
def test_resolution_finer_than_the_sampling_is_refused(resolution):
    with pytest.raises(GeometryError, match="20 Å"):
        shell_of_resolution(resolution, (8, 8, 8), pixel_size=10.0)
