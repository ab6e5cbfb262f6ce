"""The mean of both halves as one density: unit variance in, mean grey values out."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.volume import Volume
from icelens.tasks.restore.crops import standardise
from icelens.tasks.restore.mean_of_halves import MeanOfHalves

SHAPE = (12, 20, 24)


def halves(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=SHAPE)
    even, odd = (signal + rng.normal(size=SHAPE) for _ in range(2))
    return (3 * even + 10).astype(np.float32), (5 * odd - 2).astype(np.float32)


def mean_of(even: np.ndarray, odd: np.ndarray, sign: float) -> MeanOfHalves:
    one, other = (standardise(Volume(v, 10.0), Path("t.mrc"), sign=sign) for v in (even, odd))
    return MeanOfHalves(one, other)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_values_have_zero_mean_and_unit_variance(sign):
    box = mean_of(*halves(), sign).cut([0, 0, 0], SHAPE)
    assert abs(box.mean()) < 1e-5
    assert box.std() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_grey_values_come_back_as_the_mean_of_the_halves(sign):
    even, odd = halves()
    density = mean_of(even, odd, sign)
    # equal only where both halves have one scale, as even and odd tomograms do
    alike = mean_of(even, even * 1.0, sign)
    np.testing.assert_allclose(alike.restored(alike.cut([0, 0, 0], SHAPE)), even, atol=1e-4)
    restored = density.restored(np.zeros((1, 1, 1), np.float32))
    assert restored == pytest.approx((even.mean() + odd.mean()) / 2, abs=1e-4)


def test_noise_is_half_as_strong_in_power_relative_to_the_signal():
    even, odd = halves()
    # signal and noise of equal power: the mean has power 1 + 1/2, each half 2
    assert mean_of(even, odd, 1.0).gain == pytest.approx(np.sqrt(2 / 1.5), rel=0.02)
