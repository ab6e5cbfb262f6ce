"""Tests of apps/web/slices/unpacked.py."""

import gzip

import numpy as np
import pytest

from icelens.apps.web.slices import unpacked as unpacked_module
from icelens.apps.web.slices.planes import plane
from icelens.apps.web.slices.unpacked import ZarrPlanes, unpacked
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.volumes import read_header, write_volume

VALUES = np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)


def written(path):
    write_volume(path, Volume(VALUES, 5.0))
    return path


@pytest.mark.parametrize("name", ["a.mrc", "ein Blatt ä.mrc.gz", "c.zarr"])
def test_values_come_as_a_memory_map_whatever_the_format(tmp_path, name):
    path = written(tmp_path / name)
    array = unpacked(path, read_header(path))
    assert isinstance(array, np.memmap)
    assert np.array_equal(array, VALUES)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_compressed_tiff_is_decoded(tmp_path):
    import tifffile

    path = tmp_path / "a.tif"
    tifffile.imwrite(path, VALUES, compression="zlib", photometric="minisblack")
    assert np.array_equal(unpacked(path, read_header(path)), VALUES)


def test_zarr_that_is_too_large_to_unpack_is_read_plane_by_plane(tmp_path, monkeypatch):
    path = written(tmp_path / "a.zarr")
    monkeypatch.setattr(unpacked_module, "LARGEST_UNPACKED", 10)
    array = unpacked(path, read_header(path))
    assert isinstance(array, ZarrPlanes)
    for axis, expected in (("z", VALUES[2]), ("y", VALUES[:, 2]), ("x", VALUES[:, :, 2].T)):
        assert np.array_equal(plane(array, axis, 2), expected)


def test_gzip_that_is_too_large_to_unpack_says_so(tmp_path, monkeypatch):
    path = written(tmp_path / "a.mrc.gz")
    monkeypatch.setattr(unpacked_module, "LARGEST_UNPACKED", 10)
    with pytest.raises(InputFileError, match=r"a\.mrc\.gz: compressed, .* save it as plain MRC"):
        unpacked(path, read_header(path))


def test_gzip_that_holds_more_than_its_header_says_stops_when_room_is_up(tmp_path, monkeypatch):
    path = written(tmp_path / "a.mrc.gz")
    header = read_header(path)
    with gzip.open(path, "ab") as stream:
        stream.write(b"\0" * 5_000_000)
    monkeypatch.setattr(unpacked_module, "LARGEST_UNPACKED", 2_000_000)
    with pytest.raises(InputFileError, match="compressed"):
        unpacked(path, header)


def test_truncated_gzip_names_the_file_and_not_the_temporary_one(tmp_path):
    path = written(tmp_path / "a.mrc.gz")
    header = read_header(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputFileError, match=r"a\.mrc\.gz: the gzip file is damaged"):
        unpacked(path, header)
    whole = gzip.decompress(written(tmp_path / "b.mrc.gz").read_bytes())
    path.write_bytes(gzip.compress(whole[:-100]))  # whole as gzip, short as MRC
    with pytest.raises(InputFileError, match=r"a\.mrc\.gz: truncated"):
        unpacked(path, header)


def test_zarr_that_lost_chunks_is_damaged_and_not_empty(tmp_path):
    path = written(tmp_path / "a.zarr")
    (path / "0" / "0" / "0" / "0").unlink()
    with pytest.raises(InputFileError, match="missing"):
        unpacked(path, read_header(path))
