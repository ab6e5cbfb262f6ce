import math

import numpy as np
import pytest
import torch
from scipy.special import eval_jacobi

from icelens.core.optics.aberrations import (
    beam_tilt_phase,
    even_zernike_phase,
    odd_zernike_phase,
    zernike,
)
from icelens.core.optics.ctf import electron_wavelength

RADIUS = torch.tensor([0.0, 0.1, 0.35, 0.8], dtype=torch.float64)
ANGLE = torch.tensor([0.3, 1.2, -2.0, 2.9], dtype=torch.float64)
X, Y = RADIUS * torch.cos(ANGLE), RADIUS * torch.sin(ANGLE)
# the order in which RELION numbers them
EVEN = [(0, 0), (-2, 2), (0, 2), (2, 2), (-4, 4), (-2, 4), (0, 4), (2, 4), (4, 4), (-6, 6)]
ODD = [(-1, 1), (1, 1), (-3, 3), (-1, 3), (1, 3), (3, 3), (-5, 5)]


@pytest.mark.parametrize(("m", "n"), EVEN + ODD)
def test_polynomials_are_those_of_zernike(m: int, n: int) -> None:
    order, j = abs(m), (n - abs(m)) // 2
    # Born & Wolf by way of Jacobi polynomials
    radius = RADIUS.numpy()
    radial = (-1) ** j * radius**order * eval_jacobi(j, order, 0, 1 - 2 * radius**2)
    angular = np.sin(order * ANGLE.numpy()) if m < 0 else np.cos(order * ANGLE.numpy())
    assert np.allclose(zernike(m, n, X, Y).numpy(), radial * angular)


@pytest.mark.parametrize("place", range(len(EVEN)))
def test_even_coefficients_count_as_in_relion(place: int) -> None:
    phase = even_zernike_phase([0.0] * place + [2.0], X, Y)
    assert torch.allclose(phase, 2.0 * zernike(*EVEN[place], X, Y))
    assert torch.allclose(phase, even_zernike_phase([0.0] * place + [2.0], -X, -Y))


@pytest.mark.parametrize("place", range(len(ODD)))
def test_odd_coefficients_count_as_in_relion(place: int) -> None:
    phase = odd_zernike_phase([0.0] * place + [2.0], X, Y)
    assert torch.allclose(phase, 2.0 * zernike(*ODD[place], X, Y))
    assert torch.allclose(phase, -odd_zernike_phase([0.0] * place + [2.0], -X, -Y))


def test_beam_tilt_is_coma_along_the_tilt() -> None:
    phase = beam_tilt_phase((0.4, 0.0), X, Y, voltage=300.0, spherical_aberration=2.7)
    scale = 2 * math.pi * 2.7e7 * electron_wavelength(300.0) ** 2 * 0.4e-3
    assert torch.allclose(phase, -scale * RADIUS**3 * torch.cos(ANGLE))


def test_beam_tilt_is_a_sum_of_two_zernike_polynomials() -> None:
    # R_3^1 = 3 k^3 - 2 k, so that k^3 = (Z_3 + 2 Z_1) / 3: how RELION joins tilt and coefficients
    phase = beam_tilt_phase((0.4, -0.7), X, Y, voltage=200.0, spherical_aberration=1.4)
    scale = 2 * math.pi * 1.4e7 * electron_wavelength(200.0) ** 2 * 1e-3
    x, y = -scale * 0.4 / 3, scale * 0.7 / 3
    assert torch.allclose(phase, odd_zernike_phase([2 * y, 2 * x, 0.0, y, x], X, Y))
