"""Tests of apps/web/work/reduced_maps.py."""

import numpy as np
import pytest

from icelens.apps.web.work.reduced_maps import reduced_map
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.volumes import write_volume


def written(path, values, pixel_size=2.0):
    write_volume(path, Volume(np.asarray(values, np.float32), pixel_size))
    return path


def test_large_maps_are_binned_and_the_note_says_so(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 40, 30))
    found = reduced_map(written(tmp_path / "a.mrc", values), 20)
    expected = values.reshape(10, 2, 20, 2, 15, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(found.field, expected, atol=1e-6)
    assert (found.factor, found.pixel_size, found.offset) == (2, 4.0, 1.0)
    assert found.note == "binned 2 x to 10 x 20 x 15 voxels"


def test_small_maps_stay_as_they_are(tmp_path):
    found = reduced_map(written(tmp_path / "a.mrc", np.eye(3)[None]), 20)
    assert found.field.shape == (1, 3, 3)
    assert found.note == ""


def test_a_flat_volume_keeps_its_only_plane(tmp_path):
    found = reduced_map(
        written(tmp_path / "a.mrc", np.random.default_rng(0).normal(size=(1, 64, 64))), 16
    )
    assert found.field.shape == (1, 16, 16)


def test_missing_values_count_as_the_mean_and_are_told(tmp_path):
    values = np.ones((4, 4, 4))
    values[0, 0, 0], values[0, 0, 1] = np.nan, 3.0
    found = reduced_map(written(tmp_path / "a.mrc", values), 20)
    assert found.field[0, 0, 0] == pytest.approx(values[np.isfinite(values)].mean())
    assert "1 voxels without a value" in found.note


@pytest.mark.parametrize(("value", "words"), [(np.nan, "lacks a finite value"), (3.0, "is 3")])
def test_a_map_without_any_contrast_has_no_surface(tmp_path, value, words):
    with pytest.raises(InputFileError, match=words):
        reduced_map(written(tmp_path / "a.mrc", np.full((4, 4, 4), value)), 20)


def test_a_map_that_was_written_anew_is_read_anew(tmp_path):
    path = written(tmp_path / "a.mrc", np.eye(3)[None])
    first = reduced_map(path, 20)
    assert reduced_map(path, 20) is first
    written(path, 5 * np.eye(3)[None])
    assert reduced_map(path, 20).field.max() == 5.0


def test_dark_density_is_recognised_and_gets_a_level_below_the_mean(tmp_path):
    values = np.random.default_rng(0).normal(0.0, 0.1, size=(16, 16, 16))
    values[6:9, 6:9, 6:9] -= 4.0
    found = reduced_map(written(tmp_path / "a.mrc", values), 20)
    assert found.looks_dark
    assert found.field.min() < found.usual_level(is_dark=True) < found.mean
    bright = reduced_map(written(tmp_path / "b.mrc", -values), 20)
    assert not bright.looks_dark
    assert bright.mean < bright.usual_level() < bright.field.max()
