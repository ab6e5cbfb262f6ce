"""Local resolution finds where a map is noisier, by how much, and filters it there alone."""

import math

import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.events import Progress
from icelens.core.fourier.filters import apply_filter, b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.fourier.sharpening import radial_amplitude
from icelens.core.metrics.local_resolution import (
    LocalWindows,
    filter_locally,
    local_resolution,
    plan_windows,
)

N, PIXEL_SIZE, B_FACTOR = 48, 1.7, 150.0
SHAPE = (N, N, N)


def halves(left: float, right: float) -> list[torch.Tensor]:
    """White density under an envelope, with noise of different strength left and right."""
    envelope = b_factor_envelope(frequency_radius(SHAPE, pixel_size=PIXEL_SIZE), B_FACTOR)
    signal = apply_filter(torch.randn(SHAPE), envelope)
    noise = torch.full((N,), right)
    noise[: N // 2] = left
    return [signal + noise * torch.randn(SHAPE) for _ in range(2)]


def expected(noise: float) -> float:
    """Å at which signal and noise have equal power, `exp(-B k^2 / 2) = noise^2`: FSC of 0.5."""
    return math.sqrt(B_FACTOR / (-4.0 * math.log(noise)))


def test_noisier_half_has_the_worse_resolution_that_its_noise_makes():
    windows = LocalWindows(20, 4)
    events = []
    resolution = local_resolution(
        *halves(0.4, 0.1), windows, pixel_size=PIXEL_SIZE, on_event=events.append
    )
    assert resolution.shape == SHAPE
    # the period of the box brings the other side in within half a window of either face, too
    left, right = resolution[..., 10:14], resolution[..., 34:38]
    assert float(left.median()) == pytest.approx(expected(0.4), rel=0.05)
    assert float(right.median()) == pytest.approx(expected(0.1), rel=0.05)
    assert float(left.std()) < 0.1 * float(left.median())
    assert events[-1] == Progress("local resolution", 12**3, 12**3, "window")


def test_only_windows_in_the_mask_are_measured_and_nothing_changes_there():
    maps = halves(0.4, 0.1)
    windows = LocalWindows(16, 4)
    mask = torch.zeros(SHAPE)
    mask[20:28, 20:28, 12:36] = 1.0
    events = []
    everywhere = local_resolution(*maps, windows, pixel_size=PIXEL_SIZE)
    masked = local_resolution(
        *maps, windows, pixel_size=PIXEL_SIZE, mask=mask, on_event=events.append
    )
    assert torch.allclose(masked[mask > 0], everywhere[mask > 0], rtol=1e-4)
    assert isinstance(events[-1], Progress)
    assert events[-1].total < 150
    assert masked.isfinite().all()


def test_answer_is_bounded_by_sampling_and_window():
    windows = LocalWindows(16, 8)
    signal = torch.randn(SHAPE)
    same = local_resolution(signal, signal, windows, pixel_size=PIXEL_SIZE)
    assert torch.allclose(same, torch.tensor(2 * PIXEL_SIZE))
    other = local_resolution(signal, torch.randn(SHAPE), windows, pixel_size=PIXEL_SIZE)
    assert float(other.max()) == pytest.approx(8 * PIXEL_SIZE)
    empty = local_resolution(torch.zeros(SHAPE), signal, windows, pixel_size=PIXEL_SIZE)
    assert torch.allclose(empty, torch.tensor(8 * PIXEL_SIZE))


def test_box_of_three_sides_and_odd_lengths_is_taken():
    signal = torch.randn(20, 25, 31)
    other = signal + 0.5 * torch.randn(20, 25, 31)
    resolution = local_resolution(signal, other, LocalWindows(12, 5), pixel_size=2.0)
    assert resolution.shape == (20, 25, 31)


def test_filter_takes_each_place_to_its_own_resolution():
    volume = torch.randn(SHAPE)
    resolution = torch.full(SHAPE, 2 * PIXEL_SIZE)
    resolution[..., : N // 2] = 20.0
    filtered = filter_locally(volume, resolution, pixel_size=PIXEL_SIZE)
    assert float(filtered[..., 4:20].std()) < 0.15
    # the corners beyond the Nyquist frequency go in any case
    assert float(filtered[..., 28:44].std()) > 0.6
    flat = filter_locally(volume, torch.full(SHAPE, 10.0), pixel_size=PIXEL_SIZE)
    amplitude = radial_amplitude(flat)
    assert amplitude[9:].max() < 1e-4 * amplitude[:6].max()  # 10 Å is shell 8.2


def test_windows_follow_the_resolution_and_fit_the_map():
    assert plan_windows(SHAPE, pixel_size=1.0, resolution=3.0) == LocalWindows(24, 4)
    assert plan_windows(SHAPE, pixel_size=1.0, resolution=30.0).size == N
    assert plan_windows(SHAPE, pixel_size=3.0, resolution=1.0).size == 12
    assert plan_windows(SHAPE, pixel_size=2.0, resolution=1.0, window=40.0).size == 20
    for window in (10.0, 60.0):
        with pytest.raises(GeometryError, match="expected 12 to 48 px"):
            plan_windows(SHAPE, pixel_size=1.0, resolution=3.0, window=window)
    with pytest.raises(GeometryError, match="expected 12 to 8 px"):
        plan_windows((8, 8, 8), pixel_size=1.0, resolution=3.0)


def test_empty_mask_is_refused():
    volume = torch.randn(16, 16, 16)
    with pytest.raises(GeometryError, match="keeps nothing"):
        local_resolution(
            volume, volume, LocalWindows(12, 4), pixel_size=1.0, mask=torch.zeros(16, 16, 16)
        )
