"""The training transfer: envelope once, or as IsoNet2 does; curves laid on boxes of any shape."""

import numpy as np
import pytest
import torch

from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.optics.correction import radial, transfer_curve
from icelens.core.optics.ctf import ctf

PIXEL_SIZE, B_FACTOR = 10.0, 300.0
K = torch.linspace(0, 0.5 / PIXEL_SIZE, 512)
CTF = ctf(K, 35000.0)
ENVELOPE = torch.exp(-B_FACTOR * K**2 / 4)
PEAK = int(np.flatnonzero(np.diff(CTF.numpy()) < 0)[0])


def test_envelope_is_applied_once_whatever_the_first_peak():
    for mode in range(4):
        flat = transfer_curve(K, CTF, clip_first_peak_mode=mode)
        curve = transfer_curve(K, CTF, b_factor=B_FACTOR, clip_first_peak_mode=mode)
        assert torch.allclose(curve, flat * ENVELOPE, atol=1e-6)
        assert torch.allclose(flat[PEAK:], CTF[PEAK:].abs())


def test_isonet2_applies_it_twice_beyond_the_first_peak_and_once_within():
    exact = transfer_curve(K, CTF, b_factor=B_FACTOR, clip_first_peak_mode=1, isonet2_exact=True)
    beyond = slice(PEAK + 5, None)  # the damped curve peaks a little earlier
    assert torch.allclose(exact[beyond], CTF[beyond].abs() * ENVELOPE[beyond] ** 2, atol=1e-6)
    within = exact[: PEAK - 30] / ENVELOPE[: PEAK - 30]
    assert torch.allclose(within, within[:1].expand_as(within), atol=1e-5)


def test_signs_stay_unless_amplitudes_are_asked_for():
    assert torch.equal(transfer_curve(K, CTF, absolute=False), CTF)
    assert torch.equal(transfer_curve(K, CTF), CTF.abs())


@pytest.mark.parametrize("shape", [(8, 8, 8), (6, 15, 10), (1, 4, 7)])
def test_curve_lies_at_its_fraction_of_nyquist_in_any_box(shape):
    # a straight line is interpolated exactly; 0.5 cycles/px is Nyquist, corners take its value
    expected = (2 * frequency_radius(shape)).clamp(max=1.0)
    assert torch.allclose(radial(torch.linspace(0, 1, 7), shape), expected, atol=1e-6)
    assert torch.equal(radial(torch.full((1,), 3.0), shape), torch.full_like(expected, 3.0))


def test_fine_curve_gives_the_function_itself():
    shape = (12, 20, 16)
    direct = ctf(frequency_radius(shape, pixel_size=PIXEL_SIZE), 35000.0)
    inside = frequency_radius(shape) <= 0.5
    # 512 samples over two zeros of the CTF: linear interpolation errs by less than 1e-3
    assert (radial(CTF, shape) - direct)[inside].abs().max() < 1e-3
