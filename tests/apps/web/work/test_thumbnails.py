"""Tests of apps/web/work/thumbnails.py."""

import io
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from icelens.apps.web.work.thumbnails import binned, grey, png, thumbnail
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.io.volumes import write_volume


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(matplotlib.image.imread(io.BytesIO(content), format="png")) * 255


def test_a_picture_is_the_middle_with_y_upwards(tmp_path: Path) -> None:
    array = np.zeros((9, 40, 60), np.float32)
    array[4, 30:, 40:] = 1.0
    write_volume(tmp_path / "a.mrc", Volume(array, 10.0))
    pixels = _pixels(thumbnail(str(tmp_path / "a.mrc"), 30).blob)
    assert pixels.shape[:2] == (20, 30)
    assert pixels[0, -1] > 250
    assert pixels[-1, 0] < 5


def test_grey_values_are_written_as_they_are() -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    assert np.allclose(_pixels(png(values)), values, atol=0.5)


def test_squares_are_averaged() -> None:
    plane = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert np.allclose(binned(plane, 2), [[2.5, 4.5], [10.5, 12.5]])
    assert binned(np.ones((1, 50), np.float32), 10).shape == (1, 10)


def test_what_is_no_number_is_dark() -> None:
    plane = np.array([[np.nan, 1.0], [2.0, np.inf]], np.float32)
    assert grey(plane)[0, 0] == 0
    assert not grey(np.full((2, 2), np.nan, np.float32)).any()
    assert not grey(np.ones((2, 2), np.float32)).any()


@pytest.mark.parametrize("content", [b"", b"abc", b"\0" * 1024, b"\xff" * 2000])
def test_a_file_that_is_no_volume_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mrc"
    path.write_bytes(content)
    with pytest.raises(IcelensError):
        thumbnail(str(path), 100)


def test_other_kinds_have_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.star").touch()
    with pytest.raises(IcelensError, match="no picture"):
        thumbnail(str(tmp_path / "a.star"), 100)


def test_one_voxel_has_a_picture(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrc", Volume(np.ones((1, 1, 1), np.float32), 2.0))
    assert _pixels(thumbnail(str(tmp_path / "a.mrc"), 100).blob).shape[:2] == (1, 1)
