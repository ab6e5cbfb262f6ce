"""Pictures of volumes show what is in them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from icelens.core.plots.slices import orthogonal_slices, power_spectra, xz_power


def noise(shape: tuple[int, int, int] = (32, 16, 48)) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_power_of_a_wave_lies_at_its_frequency() -> None:
    z, _, x = np.indices((32, 4, 64))
    power = xz_power(np.cos(2 * np.pi * (8 * z / 32 + 16 * x / 64)))
    peak = np.unravel_index(power.argmax(), power.shape)
    assert peak in {(16 + 8, 32 + 16), (16 - 8, 32 - 16)}


def test_missing_wedge_is_dark() -> None:
    volume = noise((48, 8, 48))
    kz, kx = np.fft.fftfreq(48)[:, None, None], np.fft.fftfreq(48)[None, None, :]
    measured = np.abs(kz) <= np.tan(np.radians(60)) * np.abs(kx)
    power = xz_power(np.fft.ifftn(np.fft.fftn(volume) * measured).real)
    # Along z the wedge is empty but for what the window's side lobes carry over.
    assert power[4:16, 24].mean() < 1e-3 * power[24, 4:16].mean()


def test_slices_are_the_central_ones() -> None:
    volume = noise()
    figure = orthogonal_slices({"raw": volume, "restored": 2 * volume}, 10.0)
    xy, _, xz, _ = figure.axes
    np.testing.assert_array_equal(xy.images[0].get_array(), volume[16])
    np.testing.assert_array_equal(xz.images[0].get_array(), volume[:, 8])


@pytest.mark.parametrize(("pixel_size", "label"), [(10.0, "50 Å"), (1000.0, "500 nm")])
def test_scale_bar_is_round_and_true(pixel_size: float, label: str) -> None:
    volume = noise((8, 32, 32))
    axes = orthogonal_slices({"a": volume}, pixel_size).axes[0]
    assert axes.texts[0].get_text() == label
    length = {"50 Å": 50.0, "500 nm": 5000.0}[label]
    assert axes.patches[1].get_width() * 32 * pixel_size == pytest.approx(length)


def test_constant_volume_is_drawn() -> None:
    constant = np.zeros((8, 8, 8))
    for figure in (
        orthogonal_slices({"empty": constant}, 10.0),
        power_spectra({"empty": constant}, 10.0),
    ):
        figure.canvas.draw()  # a warning of matplotlib would be an error here
        assert figure.axes[0].images


def test_figures_leave_no_state_behind() -> None:
    size = plt.rcParams["font.size"]
    orthogonal_slices({"a": noise()}, 10.0)
    assert plt.get_fignums() == []
    assert plt.rcParams["font.size"] == size
