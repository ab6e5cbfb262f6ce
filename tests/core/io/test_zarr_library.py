"""A chunk that is not there is found, whatever the format and the names of chunks."""

import json

import numpy as np
import pytest
import zarr

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.ome_zarr import open_zarr, write_zarr
from icelens.core.io.volumes import open_volume
from icelens.core.io.zarr_library import check_chunks

VALUES = np.zeros((3, 150, 4), np.float32)


@pytest.mark.parametrize(("version", "second"), [("0.4", "0/0/1/0"), ("0.5", "0/c/0/1/0")])
def test_every_chunk_of_a_density_must_be_there_also_one_of_zeros(tmp_path, version, second):
    folder = tmp_path / "a.zarr"
    write_zarr(folder, Volume(VALUES, 10.0), version=version)
    check_chunks(folder, "0")
    np.testing.assert_array_equal(open_volume(folder).array, VALUES)
    (folder / second).unlink()
    with pytest.raises(InputFileError, match=r"1 of 2 chunks are missing, the first is (c/)?0/1/0"):
        open_volume(folder)


def test_whole_numbers_may_lack_chunks_unless_they_must_not(tmp_path):
    folder = tmp_path / "a.zarr"
    write_zarr(folder, Volume(np.ones((3, 150, 4), np.int16), 10.0))
    (folder / "0/0/1/0").unlink()
    assert not open_zarr(folder)[1][:, 128:].any()
    with pytest.raises(InputFileError, match="chunks are missing"):
        open_zarr(folder, may_lack_chunks=False)


def test_damaged_shape_asks_for_no_memory(tmp_path):
    folder = tmp_path / "a.zarr"
    zarr.create_array(str(folder), data=np.ones((4, 4)), chunks=(2, 4), zarr_format=2)
    known = json.loads((folder / ".zarray").read_text())
    (folder / ".zarray").write_text(json.dumps(known | {"shape": [10**9, 10**9]}))
    with pytest.raises(InputFileError, match=r"of 125000000000000000 chunks are missing"):
        check_chunks(folder, "")


def test_image_without_voxels_is_refused_by_name(tmp_path):
    folder = tmp_path / "a.zarr"
    write_zarr(folder, Volume(VALUES, 10.0))
    place = folder / "0" / ".zarray"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"shape": [3, 0, 4]}))
    with pytest.raises(InputFileError, match=r"a\.zarr: level 0 has shape"):
        open_zarr(folder)


def test_names_of_chunks_may_have_dots(tmp_path):
    folder = tmp_path / "a.zarr"
    array = zarr.create_array(str(folder), data=np.ones((4, 4)), chunks=(2, 4), zarr_format=2)
    assert array.metadata.zarr_format == 2
    assert json.loads((folder / ".zarray").read_text())["chunks"] == [2, 4]
    check_chunks(folder, "")
    (folder / "1.0").unlink()
    with pytest.raises(InputFileError, match=r"the first is 1\.0"):
        check_chunks(folder, "")


def test_format_2_is_compressed_as_copick_does_it(tmp_path):
    write_zarr(tmp_path / "a.zarr", Volume(VALUES, 10.0))
    known = json.loads((tmp_path / "a.zarr/0/.zarray").read_text())
    assert (known["compressor"]["id"], known["compressor"]["cname"]) == ("blosc", "lz4")
    assert known["dimension_separator"] == "/"
