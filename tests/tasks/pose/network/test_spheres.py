"""Layers on spheres and rotations keep what a turn of the image means, and what their sums are."""

import math

import pytest
import torch

from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_functions import is_used, wigner_at
from icelens.core.geometry.wigner import wigner_matrices
from icelens.tasks.pose.network.spheres import (
    Lift,
    RingHarmonics,
    RotationConvolution,
    RotationReLU,
    ToSphere,
    evened,
)

DEGREE = 3


def _signal(items: int = 2, channels: int = 3) -> torch.Tensor:
    """Of real functions on the rotations, `(m, n, l, item, channel)`."""
    shape = (DEGREE + 1, 2 * DEGREE + 1, DEGREE + 1, items, channels)
    drawn = torch.randn(shape, dtype=torch.complex64)
    sign = (-1.0) ** torch.arange(-DEGREE, DEGREE + 1)
    drawn[0] = 0.5 * (drawn[0] + sign[:, None, None, None] * drawn[0].flip(0).conj())
    return drawn * is_used(DEGREE)[..., None, None]


def _phases(angle: float, axes: int) -> torch.Tensor:
    order = torch.arange(DEGREE + 1).reshape(-1, *[1] * (axes - 1))
    return torch.exp(1j * angle * order)


def test_harmonics_of_turned_rings_gain_phases() -> None:
    rings = torch.randn(2, 3, 4, 12)
    harmonics = RingHarmonics(12, DEGREE)
    turned = harmonics(rings.roll(5, dims=-1))
    assert turned.shape == (DEGREE + 1, 3, 4, 2)
    expected = _phases(-5 * 2 * math.pi / 12, 4) * harmonics(rings)
    assert torch.allclose(turned, expected, atol=1e-5)


def test_harmonics_keep_the_power_that_they_can_hold() -> None:
    rings = torch.randn(1, 1, 1, 7)
    found = RingHarmonics(7, 3)(rings).flatten().abs().square()
    assert float(found[0] + 2 * found[1:].sum()) == pytest.approx(float(rings.square().sum()), 1e-5)


def test_degrees_below_the_order_are_dropped_by_the_lift() -> None:
    lift = Lift(4, 2, DEGREE)
    lifted = lift(torch.randn(DEGREE + 1, 4, DEGREE + 1, 3, dtype=torch.complex64))
    assert lifted.shape == (DEGREE + 1, 2 * DEGREE + 1, DEGREE + 1, 3, 2)
    assert not lifted[is_used(DEGREE) == 0].any()


def test_the_first_sphere_is_the_orthographic_view() -> None:
    # one ring of radius r is the circle at that distance from the axis: f(theta, phi) peaks there
    num_radii = 16
    to_sphere = ToSphere(1, num_radii, 12)
    harmonics = torch.zeros(13, 1, num_radii, 1, dtype=torch.complex64)
    harmonics[0, 0, 8, 0] = 1.0
    found = to_sphere(harmonics)[0, 0, :, 0].real
    polar = torch.linspace(0.0, math.pi, 181)
    legendre = torch.stack(
        [torch.special.legendre_polynomial_p(torch.cos(polar), n) for n in range(13)]
    )
    degree = 2 * torch.arange(13) + 1
    profile = (found * degree.sqrt()) @ legendre
    assert abs(int(profile.argmax()) - math.degrees(math.asin(0.95 * 8.5 / 16))) < 5.0


def test_the_lift_turns_with_the_sphere() -> None:
    sphere = torch.randn(DEGREE + 1, 4, DEGREE + 1, 2, dtype=torch.complex64)
    lift = Lift(4, 2, DEGREE)
    # a turn of the image by a: order m of the sphere gains exp(-i m a), of the rotations exp(i m a)
    turned = lift(sphere * _phases(-0.7, 4))
    assert torch.allclose(turned, lift(sphere) * _phases(0.7, 5), atol=1e-5)


def test_the_lift_is_the_correlation_with_the_learnt_sphere() -> None:
    lift = Lift(1, 1, DEGREE)
    sphere = torch.randn(DEGREE + 1, 1, DEGREE + 1, 1, dtype=torch.complex64)
    weight = torch.view_as_complex(lift.weight.detach().reshape(DEGREE + 1, 1, -1, 2))
    rotation = random_rotations(1, torch.Generator().manual_seed(0), dtype=torch.float64)
    wigner = torch.from_numpy(wigner_matrices(DEGREE, rotation[0].numpy())).to(torch.complex64)
    # of orders m >= 0: sum_l conj(c_lm) (D(R) psi)_lm
    turned = torch.einsum("lmn,ln->lm", wigner, weight[:, 0])[:, DEGREE:]
    expected = (sphere[:, 0, :, 0].T.conj() * turned * is_used(DEGREE)[:, DEGREE].T).sum()
    lifted = lift(sphere)[..., 0, :]
    found = (lifted * wigner_at(rotation, DEGREE)).sum()
    assert torch.allclose(found, expected, atol=1e-4)


def test_convolutions_act_on_the_side_of_the_reference() -> None:
    convolution = RotationConvolution(3, 2, DEGREE)
    signal = _signal()
    turned = convolution(signal * _phases(0.4, 5))
    assert torch.allclose(turned, convolution(signal) * _phases(0.4, 5), atol=1e-4)
    # any rotation of the image side commutes: rows m and k of one degree mix alike
    assert not convolution(signal)[is_used(DEGREE) == 0].any()


def test_cutting_off_commutes_with_turns_of_its_grid() -> None:
    relu = RotationReLU(3, DEGREE)
    torch.nn.init.normal_(relu.offset)
    signal = _signal()
    angle = 2 * math.pi / relu.grid.num_turns * 3
    turned = relu(signal * _phases(angle, 5))
    assert torch.allclose(turned, relu(signal) * _phases(angle, 5), atol=1e-4)


def test_what_is_positive_everywhere_is_not_cut_off() -> None:
    relu = RotationReLU(3, DEGREE)
    signal = 0.01 * _signal()
    signal[0, DEGREE, 0] = 5.0
    assert torch.allclose(relu(signal), signal, atol=1e-4)
    assert torch.allclose(relu(-signal), torch.zeros_like(signal), atol=1e-4)


def test_evened_signals_have_one_size_whatever_the_contrast() -> None:
    signal = _signal()
    scaled = signal * torch.tensor([10.0, 0.3])[:, None]
    assert torch.allclose(evened(scaled), evened(signal), atol=1e-3)
    assert float(evened(signal).abs().max()) < 10.0
    assert not evened(0 * signal).any()
