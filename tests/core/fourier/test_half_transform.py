"""The other half of a transform, against a full one."""

import numpy as np
import pytest
import torch

from icelens.core.fourier.half_transform import full_weight, point_spread


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 7, 9), (4, 5, 1), (6, 4, 2)])
def test_full_weight_and_point_spread_are_those_of_the_full_transform(shape):
    # an even power spectrum is a weight of a real map by construction
    full = np.abs(np.fft.fftn(np.random.default_rng(0).normal(size=shape))) ** 2
    half = torch.from_numpy(full[..., : shape[2] // 2 + 1])
    np.testing.assert_allclose(full_weight(half, shape[2]), np.fft.fftshift(full), rtol=1e-10)
    spread = np.fft.fftshift(np.fft.ifftn(full))
    assert np.abs(spread.imag).max() < 1e-10
    np.testing.assert_allclose(point_spread(half, shape[2]), spread.real, atol=1e-10)
