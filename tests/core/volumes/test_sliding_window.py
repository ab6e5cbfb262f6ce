"""Windows cover every voxel, blend exactly, and answer on the grid that was promised."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool3d

from icelens.core.errors import GeometryError
from icelens.core.events import Progress
from icelens.core.volumes.sliding_window import plan_windows, sliding_window

HALF = 1e-3
"""Rounding of values of about one to half precision."""


def binning(stride, channels=2):
    def predict(windows: torch.Tensor) -> torch.Tensor:
        coarse = avg_pool3d(windows, stride)
        return torch.cat([coarse * (number + 1) for number in range(channels)], dim=1)

    return predict


@pytest.mark.parametrize(
    ("shape", "window", "overlap", "stride", "multiple_of", "batch_size"),
    [
        ((13, 21, 30), (8, 8, 8), 0.5, 2, 4, 3),
        ((9, 10, 11), (4, 6, 5), 0.3, 1, 1, 1),
        ((5, 40, 41), (16, 16, 16), 0.25, 2, 8, 2),
        ((12, 12, 12), (12, 12, 12), 0.0, 2, 1, 1),
        ((7, 33, 9), (64, 8, 6), 0.9, 3, 1, 4),
    ],
)
def test_binning_of_windows_is_binning_of_the_volume(
    shape, window, overlap, stride, multiple_of, batch_size
):
    volume = np.random.default_rng(0).random(shape).astype(np.float32)
    found = sliding_window(
        volume,
        binning(stride),
        window=window,
        overlap=overlap,
        stride=stride,
        num_channels=2,
        multiple_of=multiple_of,
        batch_size=batch_size,
    )
    padded = np.pad(volume, [(0, -size % stride) for size in shape], mode="reflect")
    expected = avg_pool3d(torch.from_numpy(padded)[None], stride)[0].numpy()
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, [expected, 2 * expected], atol=2 * HALF)


def test_same_answer_everywhere_stays_the_same():
    def predict(windows: torch.Tensor) -> torch.Tensor:
        return torch.full((1, 1, *(side // 2 for side in windows.shape[2:])), 0.7)

    found = sliding_window(
        np.zeros((21, 34, 45), np.int8),
        predict,
        window=(16, 16, 16),
        overlap=0.5,
        stride=2,
        num_channels=1,
    )
    assert np.unique(found).tolist() == [np.float16(0.7)]


def test_middle_of_a_window_counts_more_than_its_rim():
    plan = plan_windows((8, 8, 12), window=(8, 8, 8), overlap=0.5)
    first, second = plan.axes[2].windows
    np.testing.assert_allclose(first[4:] + second[:4], 1.0)
    assert first[4] > 0.9
    assert second[0] < 0.1


@pytest.mark.parametrize("size", [1, 5, 16, 17, 40])
def test_windows_reach_every_voxel_and_overlap_as_asked(size):
    plan = plan_windows((size,) * 3, window=(16, 16, 16), overlap=0.25, stride=2, multiple_of=8)
    side, starts = plan.window[0], plan.axes[0].starts
    assert side % 8 == 0
    assert starts[0] == 0
    assert starts[-1] + side >= size
    assert all(start % 2 == 0 for start in starts)
    assert all(b - a <= 0.75 * side for a, b in pairwise(starts))
    layers = [index for layer in plan.layers() for index in layer]
    assert layers == list(product(range(len(starts)), repeat=3))
    assert len(plan) == len(layers)


def test_small_volumes_are_mirrored_into_one_window():
    seen = []

    def predict(windows: torch.Tensor) -> torch.Tensor:
        seen.append(windows)
        return windows

    volume = np.arange(5, dtype=np.float32).reshape(1, 1, 5)
    found = sliding_window(
        volume, predict, window=(8, 8, 8), overlap=0.5, stride=1, num_channels=1, multiple_of=8
    )
    assert found[0].tolist() == volume.tolist()
    assert seen[0][0, 0, 3, 3].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_progress_counts_windows():
    events = []
    sliding_window(
        np.zeros((8, 8, 16), np.float32), binning(1, 1), window=(8, 8, 8), overlap=0.0, stride=1,
        num_channels=1, on_event=events.append,
    )  # fmt: skip
    assert events == [Progress("windows", done, 2, "window") for done in (1, 2)]


def test_answer_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match=r"with \(2, 8, 8, 8\), expected \(3, 4, 4, 4\)"):
        sliding_window(
            np.zeros((8, 8, 8)), binning(1), window=(8, 8, 8), overlap=0.5, stride=2, num_channels=3
        )


@pytest.mark.parametrize(
    "changes", [{"overlap": 1.0}, {"overlap": -0.1}, {"window": (0, 8, 8)}, {"stride": 0}]
)
def test_impossible_plans_are_refused(changes):
    usual = {"window": (8, 8, 8), "overlap": 0.5}
    with pytest.raises(GeometryError):
        plan_windows((8, 8, 8), **(usual | changes))
