"""MRC reading and writing against mrcfile, an independent reader, and against damaged files."""

import gzip
import struct
import warnings

import mrcfile
import numpy as np
import pytest

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.mrc import open_mrc, read_mrc_header, read_mrc_stack_header
from icelens.core.io.volumes import open_volume, read_header, write_volume

MODES = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}


def ramp(dtype=np.float32, shape=(3, 4, 5)):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def mrc_bytes(path, values, pixel_size=10.0):
    with mrcfile.new(path, values, overwrite=True) as file:
        file.voxel_size = pixel_size
    return bytearray(path.read_bytes())


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_the_standard_is_read_as_mrcfile_wrote_it(tmp_path, mode):
    path = tmp_path / "a.mrc"
    values = ramp(MODES[mode])
    mrc_bytes(path, values)
    volume = open_volume(path)
    assert read_header(path).dtype == MODES[mode]
    assert volume.pixel_size == pytest.approx(10.0)
    np.testing.assert_array_equal(volume.array, values)
    assert isinstance(volume.array, np.memmap)


@pytest.mark.parametrize("mode", MODES)
def test_big_endian_files_read_the_same(tmp_path, mode):
    path = tmp_path / "big.mrc"
    values = ramp(MODES[mode])
    mrc_bytes(path, values.astype(values.dtype.newbyteorder(">")))
    assert path.read_bytes()[12:16] == struct.pack(">i", mode)
    np.testing.assert_array_equal(open_volume(path).array, values)


def test_a_wrong_machine_stamp_and_map_id_do_not_matter(tmp_path):
    path = tmp_path / "old.mrc"
    content = mrc_bytes(path, ramp().astype(">f4"))
    content[208:216] = b"\0" * 8
    path.write_bytes(content)
    np.testing.assert_array_equal(open_volume(path).array, ramp())


def test_a_stamp_that_lies_is_overruled_by_sizes_that_fit(tmp_path):
    path = tmp_path / "lying.mrc"
    content = mrc_bytes(path, ramp())
    content[212:214] = b"\x11\x11"
    path.write_bytes(content)
    np.testing.assert_array_equal(open_volume(path).array, ramp())


def test_gzip_is_recognised_by_content_whatever_the_name(tmp_path):
    plain = mrc_bytes(tmp_path / "a.mrc", ramp())
    for name in ("a.mrc.gz", "misnamed.mrc"):
        (tmp_path / name).write_bytes(gzip.compress(bytes(plain)))
        np.testing.assert_array_equal(open_volume(tmp_path / name).array, ramp())


def test_unsigned_bytes_as_imod_marks_them_are_not_negative(tmp_path):
    path = tmp_path / "imod.mrc"
    content = mrc_bytes(path, np.full((2, 2, 2), -1, np.int8))
    content[152:160] = struct.pack("<ii", 1146047817, 0)
    path.write_bytes(content)
    assert open_volume(path).array.max() == 255
    content[152:160] = struct.pack("<ii", 1146047817, 1)
    path.write_bytes(content)
    assert open_volume(path).array.max() == -1


@pytest.mark.parametrize("axes", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (1, 3, 2)])
def test_permuted_axes_come_out_as_z_y_x(tmp_path, axes):
    path = tmp_path / "permuted.mrc"
    truth = ramp(shape=(2, 3, 4))  # z, y, x
    in_axis = {1: 2, 2: 1, 3: 0}
    mapc, mapr, maps = axes
    stored = truth.transpose(in_axis[maps], in_axis[mapr], in_axis[mapc])
    mrc_bytes(path, np.ascontiguousarray(stored))
    with mrcfile.open(path, "r+") as file:
        file.header.mapc, file.header.mapr, file.header.maps = axes
        file.header.mx, file.header.my, file.header.mz = 4, 3, 2
        file.header.cella = (40.0, 30.0, 20.0)
    np.testing.assert_array_equal(open_volume(path).array, truth)
    assert read_header(path).shape == truth.shape


def test_an_impossible_axis_order_is_refused(tmp_path):
    path = tmp_path / "axes.mrc"
    content = mrc_bytes(path, ramp())
    content[64:76] = struct.pack("<iii", 1, 1, 3)
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="MAPC, MAPR, MAPS = 1, 1, 3"):
        open_volume(path)


def test_starts_in_voxels_become_an_origin_in_angstrom(tmp_path):
    path = tmp_path / "start.mrc"
    mrc_bytes(path, ramp())
    with mrcfile.open(path, "r+") as file:
        file.header.nxstart, file.header.nystart, file.header.nzstart = -2, 3, 4
    assert read_header(path).origin_xyz == pytest.approx((-20.0, 30.0, 40.0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"MAP " * 10, "only 40 bytes"),
        (b"data_\nloop_\n_rlnTomoName\n" * 100, "not an MRC file"),
        (bytes(4096), "not an MRC file"),
        (b"\x1f\x8b" + b"nonsense" * 10, "cannot be read"),
    ],
)
def test_what_is_no_mrc_is_named_in_one_line(tmp_path, content, message):
    path = tmp_path / "broken.mrc"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=message) as error:
        open_volume(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_truncated_files_are_refused_with_both_sizes(tmp_path):
    path = tmp_path / "short.mrc"
    content = mrc_bytes(path, ramp())
    path.write_bytes(content[:-1])
    with pytest.raises(InputFileError, match=r"truncated, 1263 bytes where .* need 1264"):
        read_header(path)
    path.write_bytes(gzip.compress(bytes(content[:-1])))
    with pytest.raises(InputFileError, match="truncated"):
        open_volume(path)
    path.write_bytes(gzip.compress(bytes(content))[:-20])
    with pytest.raises(InputFileError, match="damaged or truncated"):
        open_volume(path)


@pytest.mark.parametrize("mode", [3, 4, 101, -7])
def test_modes_without_a_real_value_are_refused(tmp_path, mode):
    path = tmp_path / "mode.mrc"
    content = mrc_bytes(path, ramp())
    content[12:16] = struct.pack("<i", mode)
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=f"mode {mode} .* convert it to mode 2"):
        read_header(path)


def test_a_pixel_size_that_is_not_a_number_is_refused(tmp_path):
    path = tmp_path / "nan.mrc"
    content = mrc_bytes(path, ramp())
    content[40:44] = struct.pack("<f", float("nan"))
    path.write_bytes(content)
    with pytest.raises(MetadataError, match="not a number"):
        open_volume(path, pixel_size=10.0)


def test_a_stack_of_volumes_is_refused(tmp_path):
    path = tmp_path / "volumes.mrc"
    mrcfile.write(path, np.zeros((2, 3, 4, 5), np.float32))
    with pytest.raises(InputFileError, match="a stack of 2 volumes"):
        read_header(path)


@pytest.mark.parametrize("mode", MODES)
def test_written_files_please_mrcfile_and_carry_size_and_origin(tmp_path, mode):
    path = tmp_path / "written.mrc"
    values = ramp()
    write_volume(path, Volume(values, 3.5, (1.0, -2.0, 3.0)), dtype=MODES[mode])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the validator warns about what it then returns
        assert mrcfile.validate(path)
    with mrcfile.open(path) as file:
        assert file.header.mode == mode
        np.testing.assert_allclose(file.voxel_size.tolist(), 3.5, rtol=1e-6)  # float32 header
        assert file.header.origin.tolist() == (1.0, -2.0, 3.0)
        np.testing.assert_array_equal(file.data, values)
        np.testing.assert_allclose(file.header.dmean, values.mean(), rtol=1e-6)
        np.testing.assert_allclose(file.header.rms, values.std(), rtol=1e-6)
        assert (file.header.dmin, file.header.dmax) == (0.0, 59.0)


def test_stacks_have_the_pixel_size_of_their_sides_whatever_their_depth(tmp_path):
    path = tmp_path / "a.mrcs"
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((3, 4, 4), np.float32))
        file.voxel_size = (1.5, 1.5, 88.0)
    with pytest.raises(MetadataError, match="expected cubes"):
        read_mrc_header(path)
    assert read_mrc_stack_header(path).pixel_size == 1.5
    assert open_mrc(path, is_stack=True)[0].shape == (3, 4, 4)
    with mrcfile.mmap(path, "r+") as file:
        file.voxel_size = (1.5, 1.6, 88.0)
    assert read_mrc_stack_header(path).pixel_size is None
