"""Tests of apps/web/slices/opened.py."""

import os

import numpy as np
import pytest

from icelens.apps.web.slices.opened import MOST_OPEN, OpenVolumes
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.volumes import write_volume


def write(path, value, shape=(4, 5, 6)):
    write_volume(path, Volume(np.full(shape, value, np.float32), 5.0))
    return path


def test_a_file_is_opened_once_and_anew_when_it_was_written_anew(tmp_path):
    volumes = OpenVolumes()
    path = write(tmp_path / "a.mrc", 1.0)
    first = volumes.open(path)
    assert volumes.open(path) is first
    write(path, 2.0)
    assert float(volumes.open(path).array[0, 0, 0]) == 2.0


def test_a_zarr_folder_that_was_written_anew_is_read_anew(tmp_path):
    volumes = OpenVolumes()
    path = write(tmp_path / "a.zarr", 1.0)
    volumes.open(path)
    write(path, 2.0)
    assert float(volumes.open(path).array[0, 0, 0]) == 2.0


def test_a_file_that_shrank_is_an_error_and_is_not_touched(tmp_path):
    volumes = OpenVolumes()
    path = write(tmp_path / "a.mrc", 1.0, (64, 64, 64))
    volumes.open(path)
    os.truncate(path, 5000)
    with pytest.raises(InputFileError, match="truncated"):
        volumes.open(path)
    path.unlink()
    with pytest.raises(InputFileError, match="cannot be read"):
        volumes.open(path)


def test_few_volumes_stay_open_the_newest_among_them(tmp_path):
    volumes = OpenVolumes()
    paths = [write(tmp_path / f"{number}.mrc", number) for number in range(MOST_OPEN + 1)]
    opened = [volumes.open(path) for path in paths]
    assert volumes.open(paths[-1]) is opened[-1]
    assert volumes.open(paths[0]) is not opened[0]


def test_no_pixel_size_is_no_hindrance_but_bricks_for_voxels_are(tmp_path):
    import mrcfile

    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((3, 4, 5), np.float32))
    assert OpenVolumes().open(path).header.pixel_size is None
    with mrcfile.open(path, "r+") as file:
        file.voxel_size = (1.0, 2.0, 3.0)
    with pytest.raises(MetadataError, match="expected cubes"):
        OpenVolumes().open(path)


HOSTILE = {
    "empty": (b"", "the file is empty"),
    "text": (b"no volume at all\n" * 100, "not an MRC file"),
    "short": (b"\0" * 100, "only 100 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_volume_is_refused_in_one_line(tmp_path, name):
    content, message = HOSTILE[name]
    path = tmp_path / "a.mrc"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=message) as caught:
        OpenVolumes().open(path)
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    path = write(tmp_path / "a.mrc", 1.0)
    content = bytearray(path.read_bytes())
    content[:12] = np.asarray([100_000, 100_000, 100_000], "<i4").tobytes()
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="truncated"):
        OpenVolumes().open(path)
