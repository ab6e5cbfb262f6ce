"""Phases of the microscope's aberrations beyond defocus: beam tilt and Zernike polynomials.

RELION's basis: polynomials of the frequency vector in 1/Å, not scaled to any aperture. Even ones
change the CTF, odd ones the phases of the image.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.optics.ctf import electron_wavelength


def even_zernike_phase(
    coefficients: Sequence[float],
    frequency_x: Float[Tensor, "*grid"],
    frequency_y: Float[Tensor, "*grid"],
) -> Float[Tensor, "*grid"]:
    """Phase in radians that symmetric aberrations take from the CTF's own.

    Args:
        coefficients: RELION's `rlnEvenZernike`: orders `n = 0, 2, 4, ...` one after the other,
            within each `m = -n, -n + 2, ..., n`.
        frequency_x: In 1/Å.
        frequency_y: In 1/Å.

    References:
        Zivanov, Nakane & Scheres, IUCrJ 7 (2020), eqs 6-8.
    """
    return _zernike_sum(coefficients, 0, frequency_x, frequency_y)


def odd_zernike_phase(
    coefficients: Sequence[float],
    frequency_x: Float[Tensor, "*grid"],
    frequency_y: Float[Tensor, "*grid"],
) -> Float[Tensor, "*grid"]:
    """Phase in radians that antisymmetric aberrations add to an image.

    Args:
        coefficients: RELION's `rlnOddZernike`: orders `n = 1, 3, 5, ...` one after the other,
            within each `m = -n, -n + 2, ..., n`.
        frequency_x: In 1/Å.
        frequency_y: In 1/Å.

    References:
        Zivanov, Nakane & Scheres, IUCrJ 7 (2020), eqs 6-8.
    """
    return _zernike_sum(coefficients, 1, frequency_x, frequency_y)


def beam_tilt_phase(
    beam_tilt_xy: tuple[float, float],
    frequency_x: Float[Tensor, "*grid"],
    frequency_y: Float[Tensor, "*grid"],
    *,
    voltage: float,
    spherical_aberration: float,
) -> Float[Tensor, "*grid"]:
    """Phase in radians that a tilted beam adds to an image: axial coma.

    `-2 pi Cs lambda^2 k^2 (t . k)`, the sign of RELION's `rlnBeamTiltX` and `rlnBeamTiltY`.

    Args:
        beam_tilt_xy: `t`, in mrad.
        frequency_x: In 1/Å.
        frequency_y: In 1/Å.
        voltage: In kV.
        spherical_aberration: `Cs`, in mm.

    References:
        Zivanov et al., eLife 7 (2018) e42166, eq. 9.
    """
    # mm and mrad to Å and rad
    scale = 2.0 * math.pi * spherical_aberration * 1e7 * electron_wavelength(voltage) ** 2 * 1e-3
    along = beam_tilt_xy[0] * frequency_x + beam_tilt_xy[1] * frequency_y
    return -scale * (frequency_x**2 + frequency_y**2) * along


def zernike(
    m: int, n: int, frequency_x: Float[Tensor, "*grid"], frequency_y: Float[Tensor, "*grid"]
) -> Float[Tensor, "*grid"]:
    """Polynomial `R_n^|m|(k) cos(m phi)`, or `sin(|m| phi)` for negative `m`; phi from x to y."""
    k2 = frequency_x**2 + frequency_y**2
    order = abs(m)
    # (kx + i ky)^|m| = k^|m| exp(i |m| phi): no angle is taken, so that k = 0 is no exception
    cosine, sine = torch.ones_like(k2), torch.zeros_like(k2)
    for _ in range(order):
        cosine, sine = (
            cosine * frequency_x - sine * frequency_y,
            cosine * frequency_y + sine * frequency_x,
        )
    angular = sine if m < 0 else cosine
    radial = torch.zeros_like(k2)
    for power, weight in _radial_terms(order, n):
        radial = radial + weight * k2**power
    return radial * angular


def _radial_terms(m: int, n: int) -> Iterator[tuple[int, float]]:
    """Powers of `k^2` and their weights in `R_n^m(k) / k^m`."""
    factorial = math.factorial
    for j in range((n - m) // 2 + 1):
        below = factorial(j) * factorial((n + m) // 2 - j) * factorial((n - m) // 2 - j)
        yield (n - m) // 2 - j, (-1) ** j * factorial(n - j) / below


def _zernike_sum(
    coefficients: Sequence[float],
    first_order: int,
    frequency_x: Float[Tensor, "*grid"],
    frequency_y: Float[Tensor, "*grid"],
) -> Float[Tensor, "*grid"]:
    total = torch.zeros_like(frequency_x)
    n, m = first_order, -first_order
    for coefficient in coefficients:
        if coefficient:
            total = total + coefficient * zernike(m, n, frequency_x, frequency_y)
        n, m = (n, m + 2) if m < n else (n + 2, -n - 2)
    return total
