"""Refined positions are near the simulated truth, for narrow, saturated and clipped blobs."""

import numpy as np
import pytest

from icelens.core.volumes.subvoxel import centred, fitted

SHAPE = (23, 23, 23)
GRID = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)


def distance(centre: np.ndarray) -> np.ndarray:
    return np.linalg.norm(GRID - centre, axis=-1)


def narrow(centre: np.ndarray) -> np.ndarray:
    return 0.8 * np.exp(-0.5 * (distance(centre) / 1.2) ** 2)


def saturated(centre: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp((distance(centre) - 5.0) / 0.4))


def clipped(centre: np.ndarray) -> np.ndarray:
    return np.minimum(2 * np.exp(-0.5 * (distance(centre) / 2.5) ** 2), 1.0)


def rms_error(blob, refine) -> float:
    rng, errors = np.random.default_rng(0), []
    for _ in range(20):
        truth = 11 + rng.uniform(-0.5, 0.5, 3)
        volume = blob(truth).astype(np.float16)
        start = np.array(np.unravel_index(volume.argmax(), SHAPE), float)[None]
        errors.append(refine(volume, start)[0] - truth)
    return float(np.sqrt(np.mean(np.sum(np.square(errors), axis=-1))))


# Measured 0.05, 0.02 and 0.02 voxels; a voxel itself is 0.5 away.
@pytest.mark.parametrize(("blob", "limit"), [(narrow, 0.1), (saturated, 0.05), (clipped, 0.05)])
def test_centroid_finds_every_kind_of_blob(blob, limit):
    def refine(volume: np.ndarray, start: np.ndarray) -> np.ndarray:
        return centred(volume, start, volume.max()[None].astype(float), radius_px=np.array([5.3]))

    assert rms_error(blob, refine) < limit


def test_parabola_finds_smooth_peaks():
    assert rms_error(narrow, fitted) < 0.12


def test_parabola_is_exact_on_a_parabola():
    truth = np.array([11.3, 10.8, 11.45])
    volume = 1 - 0.01 * distance(truth) ** 2
    np.testing.assert_allclose(fitted(volume, np.rint(truth)[None])[0], truth, atol=1e-9)


def test_blob_cut_by_the_face_stays_inside():
    truth = np.array([0.0, 11.0, 22.0])
    volume = narrow(truth)
    for found in (
        centred(volume, truth[None], np.array([0.8]), radius_px=np.array([3.0])),
        fitted(volume, truth[None]),
    ):
        assert np.linalg.norm(found[0] - truth) < 1.0


def test_nan_beside_a_peak_weighs_nothing():
    volume = narrow(np.array([11.0, 11.0, 11.0]))
    volume[11, 11, 12] = np.nan
    found = centred(volume, np.full((1, 3), 11.0), np.array([0.8]), radius_px=np.array([3.0]))
    assert np.abs(found - 11).max() < 0.3
    assert np.isfinite(fitted(volume, np.full((1, 3), 11.0))).all()


def test_peak_does_not_wander_to_its_strong_neighbour():
    volume = narrow(np.array([11.0, 11.0, 14.0])) + 0.05 * narrow(np.array([11.0, 11.0, 8.0]))
    start = np.array([[11.0, 11.0, 8.0]])
    found = centred(volume, start, np.array([0.04]), radius_px=np.array([3.0]))
    assert np.linalg.norm(found - start) <= 3.0


def test_nothing_is_moved_where_there_is_nothing():
    start = np.array([[3.0, 4.0, 5.0]])
    volume = np.zeros(SHAPE)
    assert centred(volume, start, np.zeros(1), radius_px=np.ones(1)).tolist() == start.tolist()
    assert centred(volume, np.empty((0, 3)), np.empty(0), radius_px=np.empty(0)).shape == (0, 3)
