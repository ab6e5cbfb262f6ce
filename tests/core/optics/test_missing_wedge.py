"""The wedge by its properties: geometry of back-projection, symmetry, mass under rotation."""

import math

import pytest
import torch

from icelens.core.errors import MetadataError
from icelens.core.geometry.rotations import random_rotations
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.volumes.rotate import right_angle_rotations, rotate

SIXTY = TiltScheme(-60.0, 60.0)


def full_mask(half: torch.Tensor, n: int) -> torch.Tensor:
    """The full spectrum that a half transform stands for, as power of a real box sees it."""
    impulse = torch.fft.irfftn(half, s=(n, n, n))
    return torch.fft.fftn(impulse).real


def is_friedel_symmetric(mask: torch.Tensor) -> bool:
    """A mask times a real box's transform must stay the transform of a real box."""
    n = mask.shape[0]
    box = torch.randn(n, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    filtered = torch.fft.rfftn(box) * mask
    again = torch.fft.rfftn(torch.fft.irfftn(filtered, s=(n, n, n)))
    return torch.allclose(again, filtered, atol=1e-9)


def test_share_of_measured_frequencies_is_that_of_the_tilt_range():
    mask = full_mask(measured_mask((32, 32, 32), SIXTY), 32)
    # of the square (kx, kz), |kz| <= tan(60) |kx| covers 1 - tan(30)/2
    assert mask.mean() == pytest.approx(1 - math.tan(math.radians(30)) / 2, abs=0.02)


@pytest.mark.parametrize("n", [8, 9, 16])
def test_zero_frequency_is_measured_and_mates_agree_whatever_the_rotation(n):
    rotations = [*right_angle_rotations(), *random_rotations(6, torch.Generator())]
    for rotation in rotations:
        for scheme in (SIXTY, TiltScheme(-40.0, 65.0)):
            mask = measured_mask((n, n, n), scheme, rotation=rotation)
            assert mask[0, 0, 0] == 1.0
            assert is_friedel_symmetric(mask.double())


def test_turning_the_mask_keeps_its_mass():
    n = 48
    axis = torch.fft.fftfreq(n)
    radius_2 = axis[:, None, None] ** 2 + axis[:, None] ** 2 + torch.fft.rfftfreq(n) ** 2
    inside = radius_2 < 0.2
    weight = inside * 2.0  # every column of a half transform stands for two, but the first
    weight[..., 0] /= 2
    still = float((measured_mask((n, n, n), SIXTY) * weight).sum() / weight.sum())
    for rotation in random_rotations(8, torch.Generator().manual_seed(1)):
        turned = measured_mask((n, n, n), SIXTY, rotation=rotation)
        # samples on the two planes that bound the wedge: about 1/n of all
        assert float((turned * weight).sum() / weight.sum()) == pytest.approx(still, abs=0.02)


def test_power_of_a_turned_box_lies_under_the_turned_mask():
    n = 16
    generator = torch.Generator().manual_seed(0)
    scheme = TiltScheme(-30.0, 55.0)
    mask = measured_mask((n, n, n), scheme)
    mask[[n // 2], :, :] = 0.0  # Nyquist planes hold both signs at once
    mask[:, [n // 2], :] = 0.0
    mask[:, :, n // 2] = 0.0
    box = torch.fft.irfftn(
        torch.fft.rfftn(torch.randn(n, n, n, generator=generator)) * mask, s=(n, n, n)
    )
    for rotation in right_angle_rotations():
        power = torch.fft.rfftn(rotate(box[None], rotation[None])[0]).abs() ** 2
        turned = measured_mask((n, n, n), scheme, rotation=rotation)
        assert (power * (turned == 0)).sum() < 1e-8 * power.sum()


def test_sign_of_the_tilts_is_that_of_back_projection():
    """Back-project one tilt along u = x cos + z sin: its power must lie in that tilt's mask."""
    n, theta = 32, math.radians(40)
    axis = torch.arange(n) - n // 2
    z, _, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    u = x * math.cos(theta) + z * math.sin(theta)
    wave = torch.cos(2 * math.pi * 6 / n * u) * torch.exp(-(x**2 + z**2) / 60.0)
    power = torch.fft.rfftn(wave).abs() ** 2
    right = measured_mask((n, n, n), TiltScheme(25.0, 55.0))
    wrong = measured_mask((n, n, n), TiltScheme(-55.0, -25.0))
    assert (power * right).sum() > 0.9 * power.sum()
    assert (power * wrong).sum() < 0.1 * power.sum()


def test_shape_of_the_box_does_not_change_the_angles():
    mask = measured_mask((24, 16, 48), SIXTY)
    kz, kx = torch.fft.fftfreq(24)[:, None], torch.fft.rfftfreq(48)[None]
    inner = (kz.abs() < 0.5) & (kx < 0.5)
    expected = kz.abs() <= math.tan(math.radians(60)) * kx + 1e-6
    assert torch.equal(mask[:, 3, :][inner] > 0, expected[inner])


def test_many_equal_tilts_fill_the_range_they_span():
    angles = tuple(float(a) for a in range(-60, 61, 2))
    soft = measured_mask((32, 32, 32), TiltScheme(-60.0, 60.0, angles))
    sharp = measured_mask((32, 32, 32), SIXTY)
    assert soft[sharp > 0].mean() > 0.93
    # slabs fade over one sample beyond the outermost planes: 2 * 0.58 of 9.2 samples on average,
    # and a little more near the axis, where tilts overlap
    assert soft[sharp == 0].mean() < 0.16


def test_late_tilts_weigh_less_at_high_resolution():
    angles = tuple(float(a) for a in range(-60, 61, 3))
    order = sorted(range(41), key=lambda i: abs(angles[i]))
    doses = [0.0] * 41
    for rank, tilt in enumerate(order):
        doses[tilt] = 3.0 * rank + 1.5
    mask = measured_mask((32, 32, 32), TiltScheme(-60, 60, angles, tuple(doses)), pixel_size=5.0)
    flat, steep = mask[0, 0, 14], mask[12, 0, 7]  # tilt 0 and tilt 60, the same resolution
    assert flat > 0.95
    assert steep < 0.2
    assert mask[0, 0, 1] > 0.95  # at low resolution every dose is early


@pytest.mark.parametrize(
    "values",
    [
        {"tilt_min": 60.0, "tilt_max": -60.0},
        {"tilt_min": -60.0, "tilt_max": 60.0, "angles": (0.0, 3.0), "doses": (1.0,)},
        {"tilt_min": -60.0, "tilt_max": 60.0, "angles": (0.0,), "doses": (math.nan,)},
    ],
)
def test_impossible_tilt_schemes_are_refused(values):
    with pytest.raises(MetadataError):
        TiltScheme(**values)
