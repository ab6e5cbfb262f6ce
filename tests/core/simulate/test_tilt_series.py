import math

import pytest
import torch

from icelens.core.simulate.tilt_series import (
    CONTRAST_PER_ANGSTROM,
    Acquisition,
    Microscope,
    counted,
    electrons_per_pixel,
    noise_free_image,
)


def test_dose_symmetric_scheme_starts_at_zero_and_spends_evenly() -> None:
    scheme = Acquisition.dose_symmetric(-60.0, 60.0, 3.0, 2.5)
    assert len(scheme.tilt_angles) == 41
    assert scheme.tilt_angles == tuple(sorted(scheme.tilt_angles))
    assert scheme.dose_before[scheme.tilt_angles.index(0.0)] == 0.0
    assert sorted(scheme.dose_before) == [2.5 * rank for rank in range(41)]
    # the outermost angles see the most dose
    assert min(scheme.dose_before[0], scheme.dose_before[-1]) >= 2.5 * 39


def test_ice_takes_more_electrons_at_high_tilt() -> None:
    flat = electrons_per_pixel(3.0, 0.0, pixel_size=10.0, thickness=1500.0)
    assert math.isclose(flat, 300.0 * math.exp(-0.5))
    tilted = electrons_per_pixel(3.0, 60.0, pixel_size=10.0, thickness=1500.0)
    assert math.isclose(tilted, 300.0 * math.exp(-1.0), rel_tol=1e-6)


def test_counts_have_poisson_mean_and_variance() -> None:
    image = torch.full((200, 200), -0.1)
    noisy = counted(image, 50.0, torch.Generator().manual_seed(1))
    # mean 0.9 - 1, variance 0.9 / 50 of the relative count; 40,000 draws
    assert abs(float(noisy.mean()) + 0.1) < 5 * math.sqrt(0.018 / 40000)
    assert abs(float(noisy.var()) / 0.018 - 1.0) < 0.05


def test_protein_is_dark_and_as_strong_as_said() -> None:
    density = torch.zeros(16, 48, 48)
    density[6:10, 20:28, 20:28] = 1.0
    image = noise_free_image(
        density, 0.0, pixel_size=10.0, microscope=Microscope(defocus=35000.0), dose=0.0
    )
    assert float(image[22:26, 22:26].mean()) < 0
    # zero frequency passes by the amplitude contrast
    expected = -CONTRAST_PER_ANGSTROM * 10.0 * 0.1 * float(density.sum())
    assert math.isclose(float(image.sum()), expected, rel_tol=0.1)


@pytest.mark.parametrize("hand", [-1, 1])
def test_defocus_follows_depth_with_the_hand_given(hand: int) -> None:
    # two points far apart along x at 60 degrees: x > 0 lies deep (away from the source)
    density = torch.zeros(8, 64, 256)
    density[4, 32, 28], density[4, 32, 228] = 1.0, 1.0
    microscope = Microscope(defocus=10000.0, hand=hand, amplitude_contrast=0.0)
    image = noise_free_image(density, 60.0, pixel_size=10.0, microscope=microscope, dose=0.0)
    # more defocus spreads a point further: its rings hold a larger part of its energy
    left = image[:, 128 - 50 - 12 : 128 - 50 + 13]
    right = image[:, 128 + 50 - 12 : 128 + 50 + 13]
    peaks = float(left.min().abs()), float(right.min().abs())
    # at 20 Å and 1 µm the phase is below a quarter wave, so more defocus gives a higher peak
    deeper_is_stronger = peaks[1] > peaks[0]
    assert deeper_is_stronger == (hand == -1)
