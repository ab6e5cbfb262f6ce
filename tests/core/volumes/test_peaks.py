"""Peaks of simulated maps: all are found, once, where they are, with their heights."""

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.volumes.peaks import find_peaks


def blobs(shape, centres, *, radius=3.0, height=0.9, dtype=np.float16) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    heights = np.broadcast_to(height, len(centres))
    maps = [
        h / (1 + np.exp((np.linalg.norm(grid - np.array(c), axis=-1) - radius) / 0.5))
        for c, h in zip(centres, heights, strict=True)
    ]
    return np.max(maps, axis=0).astype(dtype)


def test_every_blob_is_one_peak_where_it_is():
    centres = np.array([[5.3, 6.1, 7.4], [15.0, 15.5, 8.2], [9.8, 25.7, 27.0], [4.4, 26.0, 6.0]])
    positions, heights = find_peaks(
        blobs((20, 32, 32), centres, height=[0.9, 0.8, 0.7, 0.6]),
        threshold=0.3,
        exclusion_radius_px=2.5,
    )
    np.testing.assert_allclose(positions, centres, atol=0.1)
    np.testing.assert_allclose(heights, [0.9, 0.8, 0.7, 0.6], atol=0.02)


def test_chain_of_four_stays_four():
    centres = [[6.0, 6.0, 6.0 + 5 * number] for number in range(4)]
    volume = blobs((13, 13, 28), centres, radius=2.0)
    positions, _ = find_peaks(volume, threshold=0.4, exclusion_radius_px=4.5)
    assert len(positions) == 4


def test_noise_on_a_broad_top_gives_one_peak():
    rng = np.random.default_rng(0)
    volume = blobs((25, 25, 25), [[12.2, 11.9, 12.4]], radius=6.0, height=1.0, dtype=np.float32)
    noisy = np.clip(volume + 0.1 * rng.random(volume.shape), 0, 1).astype(np.float32)
    positions, _ = find_peaks(noisy, threshold=0.5, exclusion_radius_px=4.0)
    np.testing.assert_allclose(positions, [[12.2, 11.9, 12.4]], atol=0.15)


def test_peaks_at_the_faces_are_found():
    centres = [[0.0, 0.0, 0.0], [11.0, 11.0, 11.0], [0.0, 11.0, 5.0]]
    positions, _ = find_peaks(
        blobs((12, 12, 12), centres, radius=1.5), threshold=0.3, exclusion_radius_px=2.0
    )
    assert len(positions) == 3
    assert (positions > -0.5).all()
    assert (positions < 11.5).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_tensors_of_any_float_give_the_same_peaks(dtype):
    volume = torch.from_numpy(blobs((14, 14, 14), [[6.0, 7.0, 6.5]], dtype=np.float32))
    positions, heights = find_peaks(volume.to(dtype), threshold=0.5, exclusion_radius_px=2.0)
    np.testing.assert_allclose(positions, [[6.0, 7.0, 6.5]], atol=0.1)
    assert heights == pytest.approx([0.9], abs=0.02)


@pytest.mark.parametrize("refinement", ["centroid", "quadratic", "none"])
def test_no_two_peaks_are_closer_than_the_radius(refinement):
    volume = np.random.default_rng(0).random((16, 16, 16)).astype(np.float32)
    positions, heights = find_peaks(
        volume, threshold=0.2, exclusion_radius_px=3.0, refinement=refinement
    )
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)
    assert apart[~np.eye(len(positions), dtype=bool)].min() >= 3.0
    assert (np.diff(heights) <= 0).all()


def test_nan_and_emptiness_give_no_peak():
    for volume in (np.full((4, 4, 4), np.nan, np.float32), np.zeros((4, 4, 4), np.float16)):
        positions, heights = find_peaks(volume, threshold=0.1, exclusion_radius_px=2.0)
        assert positions.shape == (0, 3)
        assert heights.shape == (0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"exclusion_radius_px": 0.0}, "must be positive"),
        ({"centroid_radius_px": -1.0}, "must be positive"),
        ({"probability": np.zeros((4, 4))}, r"got an array of shape \(4, 4\)"),
    ],
)
def test_impossible_requests_are_refused(changes, message):
    usual = {"probability": np.zeros((4, 4, 4)), "threshold": 0.5, "exclusion_radius_px": 2.0}
    with pytest.raises(GeometryError, match=message):
        find_peaks(**(usual | changes))
