import numpy as np
import pytest
import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError
from icelens.core.volumes.streamed_filter import (
    TAIL,
    chunk_axis,
    cut_periodic,
    filter_streamed,
    reach,
    split_curve,
)
from icelens.tasks.restore.deconvolve import DeconvolutionSettings, deconvolution_curve

SHAPE = (30, 88, 101)


def wiener() -> torch.Tensor:
    row = TomogramRow(index=1, pixel_size=10.0, defocus=35000.0)
    return deconvolution_curve(row, DeconvolutionSettings())


def filtered_whole(volume: np.ndarray, curve: torch.Tensor) -> np.ndarray:
    """The oracle: one double-precision transform of everything."""
    z, y, x = (np.fft.fftfreq(n) for n in volume.shape)
    radius = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    weight = np.interp(radius, np.linspace(0, 0.5, len(curve)), curve.numpy())
    weight[0, 0, 0] = 0.0
    return np.fft.ifftn(np.fft.fftn(volume.astype(float)) * weight).real


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_one_chunk_is_exact(offset: float) -> None:
    volume = (np.random.default_rng(0).standard_normal(SHAPE) + offset).astype(np.float32)
    result = np.empty_like(volume)
    filter_streamed(volume, wiener(), result)
    expected = filtered_whole(volume, wiener())
    # float32 rounding of the transform, and of the offset itself (1000 * 2^-24 = 6e-5).
    assert np.abs(result - expected).max() < 2e-5 * expected.std() + 1e-7 * offset


@pytest.mark.parametrize("chunk_size", [60, 80])
def test_chunks_give_what_the_whole_volume_gives(chunk_size: int) -> None:
    volume = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    result = np.empty_like(volume)
    filter_streamed(volume, wiener(), result, chunk_size=chunk_size)
    expected = filtered_whole(volume, wiener())
    # The overlap is chosen so that white noise errs by TAIL; the largest of 3e5 voxels by 5 sigma.
    assert (result - expected).std() < TAIL * expected.std()
    assert np.abs(result - expected).max() < 5 * TAIL * expected.std()


def test_lowest_frequencies_are_right_across_chunks() -> None:
    # A wave longer than any chunk: what plain overlapping chunks get wrong.
    wave = np.cos(2 * np.pi * np.arange(101) / 101)
    volume = np.broadcast_to(wave, SHAPE).astype(np.float32)
    result = np.empty(SHAPE, np.float32)
    filter_streamed(volume, wiener(), result, chunk_size=60)
    factor = np.interp(1 / 101, np.linspace(0, 0.5, len(wiener())), wiener().numpy())
    # Chunks see a trace of it, 1e-5 of the high part, and mistake the phase of that.
    np.testing.assert_allclose(result, factor * volume, rtol=0, atol=TAIL * factor)


def test_parts_of_a_curve_add_up_and_the_high_part_has_no_zero_frequency() -> None:
    low, high = split_curve(wiener())
    torch.testing.assert_close(low + high, wiener().float(), rtol=0, atol=1e-7)
    assert abs(float(high[0])) < 1e-6


def test_reach_of_a_gaussian_is_its_width() -> None:
    frequency = torch.linspace(0, 0.5, 2048, dtype=torch.float64)
    sigma = 5.0
    curve = torch.exp(-2 * (np.pi * sigma * frequency) ** 2)
    # Power beyond m is erfc(m / sigma), TAIL^2 of it beyond 3.74 sigma.
    assert reach(torch.zeros(2048), curve) == pytest.approx(3.74 * sigma, abs=1.5)


def test_every_voxel_is_in_one_core() -> None:
    axis = chunk_axis(101, 60, 12)
    covered = np.concatenate([np.arange(101)[core] for core in axis.cores()])
    np.testing.assert_array_equal(covered, np.arange(101))
    assert axis.box <= 60


def test_box_beyond_the_border_begins_again() -> None:
    volume = np.arange(6.0 * 5 * 4).reshape(6, 5, 4)
    index = [np.arange(-2, 3) % 6, np.arange(5), np.arange(3, 6) % 4]
    np.testing.assert_array_equal(cut_periodic(volume, index), volume[np.ix_(*index)])


def test_chunk_smaller_than_the_reach_is_refused() -> None:
    volume = np.random.default_rng(0).random(SHAPE, np.float32)
    with pytest.raises(GeometryError, match="--chunk-size to"):
        filter_streamed(volume, wiener(), np.empty_like(volume), chunk_size=40)
