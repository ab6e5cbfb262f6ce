"""Any format gives the same volume; pixel sizes are never guessed; nothing is left half-written."""

import resource
import signal

import numpy as np
import pytest
import tifffile
import zarr

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.ome_zarr import write_zarr
from icelens.core.io.volumes import (
    check_values,
    new_volume,
    open_volume,
    read_header,
    write_volume,
)

VALUES = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
VOLUME = Volume(VALUES, 10.5, (1.5, -2.0, 3.0))


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a.mrc", "a.rec", "a.mrcs", "a.mrc.gz", "a.zarr", "Ä b.mrc"])
def test_what_is_written_is_read_back_whatever_the_format(tmp_path, name):
    path = tmp_path / name
    write_volume(path, VOLUME)
    again = open_volume(path)
    np.testing.assert_array_equal(again.array, VALUES)
    assert again.pixel_size == pytest.approx(10.5)
    assert again.origin_xyz == VOLUME.origin_xyz
    assert read_header(path).shape == VALUES.shape
    assert files_in(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz", "a.zarr"])
def test_an_older_file_is_replaced_whole(tmp_path, name):
    write_volume(tmp_path / name, VOLUME)
    write_volume(tmp_path / name, Volume(VALUES[:2] + 1, 3.0))
    np.testing.assert_array_equal(open_volume(tmp_path / name).array, VALUES[:2] + 1)
    assert files_in(tmp_path) == [name]


@pytest.mark.parametrize(("version", "zarr_format"), [("0.4", 2), ("0.5", 3)])
def test_both_zarr_formats_are_read(tmp_path, version, zarr_format):
    folder = tmp_path / "a.zarr"
    write_zarr(folder, VOLUME, version=version)
    assert zarr.open_group(str(folder)).metadata.zarr_format == zarr_format
    again = open_volume(folder)
    np.testing.assert_array_equal(again.array, VALUES)
    assert (again.pixel_size, again.origin_xyz) == (10.5, VOLUME.origin_xyz)


def test_zarr_units_and_nested_scales_are_converted_to_angstrom(tmp_path):
    folder = tmp_path / "nm.zarr"
    write_zarr(folder, VOLUME)
    group = zarr.open_group(str(folder), mode="a")
    image = group.attrs["multiscales"][0]
    image["axes"] = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    image["coordinateTransformations"] = [{"type": "scale", "scale": [2, 2, 2]}]
    group.attrs["multiscales"] = [image]
    header = read_header(folder)
    assert header.pixel_size == pytest.approx(10.5 * 2 * 10)
    assert header.origin_xyz == pytest.approx((30.0, -40.0, 60.0))


def test_a_bare_zarr_array_has_no_pixel_size(tmp_path):
    zarr.save_array(str(tmp_path / "bare.zarr"), VALUES)
    assert read_header(tmp_path / "bare.zarr").pixel_size is None
    np.testing.assert_array_equal(open_volume(tmp_path / "bare.zarr", pixel_size=8.0).array, VALUES)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_stacks_read_as_sections_with_imagejs_pixel_size(tmp_path, compression, byteorder):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        VALUES,
        byteorder=byteorder,
        imagej=True,
        resolution=(1 / 1.05, 1 / 1.05),
        metadata={"unit": "nm", "spacing": 1.05, "axes": "ZYX"},
        compression=compression,
    )
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.array, VALUES)
    assert volume.pixel_size == pytest.approx(10.5)
    assert isinstance(volume.array, np.memmap) == (compression is None)
    assert read_header(path).format == "tiff"


def test_tiff_is_known_by_content_and_screen_resolution_is_no_pixel_size(tmp_path):
    path = tmp_path / "misnamed.mrc"
    tifffile.imwrite(
        path, VALUES, photometric="minisblack", resolution=(72, 72), resolutionunit="INCH"
    )
    assert read_header(path).pixel_size is None
    np.testing.assert_array_equal(open_volume(path, pixel_size=3.0).array, VALUES)


def test_ome_tiff_gives_pixel_size_in_its_unit(tmp_path):
    path = tmp_path / "a.ome.tif"
    sizes = {f"PhysicalSize{axis}": 1.2 for axis in "XYZ"}
    units = {f"PhysicalSize{axis}Unit": "nm" for axis in "XYZ"}
    tifffile.imwrite(path, VALUES, ome=True, metadata={"axes": "ZYX", **sizes, **units})
    assert read_header(path).pixel_size == pytest.approx(12.0)


def test_colour_and_broken_tiff_are_refused(tmp_path):
    colour, broken, empty = (tmp_path / name for name in ("c.tif", "b.tif", "e.tif"))
    tifffile.imwrite(colour, np.zeros((4, 5, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputFileError, match="expected grey sections"):
        open_volume(colour)
    tifffile.imwrite(broken, VALUES, photometric="minisblack")
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(InputFileError, match="damaged, truncated or not a TIFF"):
        open_volume(broken)
    empty.touch()
    with pytest.raises(InputFileError, match="not a TIFF"):
        open_volume(empty)


def test_a_header_that_knows_nothing_needs_a_pixel_size(tmp_path):
    path = tmp_path / "one.mrc"
    write_volume(path, Volume(VALUES, 1.0))
    assert read_header(path).pixel_size is None
    with pytest.raises(MetadataError, match="--pixel-size"):
        open_volume(path)
    assert open_volume(path, pixel_size=1.0).pixel_size == 1.0


def test_a_contradiction_names_both_values_and_the_flag_that_decides(tmp_path):
    path = tmp_path / "a.mrc"
    write_volume(path, VOLUME)
    with pytest.raises(
        MetadataError, match=r"10\.5 .* 13\.5 .*--pixel-size-from header .* --pixel-size-from meta"
    ):
        open_volume(path, pixel_size=13.5)
    assert open_volume(path, pixel_size=13.5, pixel_size_from="metadata").pixel_size == 13.5
    assert open_volume(path, pixel_size=13.5, pixel_size_from="header").pixel_size == 10.5
    assert open_volume(path, pixel_size=10.59).pixel_size == 10.59  # within one per cent
    with pytest.raises(MetadataError):
        open_volume(path, pixel_size=10.7)
    for impossible in (0.0, -3.0, float("nan")):
        with pytest.raises(MetadataError, match="must be positive"):
            open_volume(path, pixel_size=impossible)


def test_missing_files_folders_and_dangling_links_are_told_apart(tmp_path):
    (tmp_path / "link.mrc").symlink_to(tmp_path / "gone.mrc")
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.hdf").write_bytes(b"\x89HDF" + bytes(2000))
    for name, message in [
        ("gone.mrc", "no such file"),
        ("link.mrc", "a broken symbolic link"),
        ("folder", "a folder without zarr metadata"),
        ("a.hdf", "HDF5"),
    ]:
        with pytest.raises(InputFileError, match=message):
            open_volume(tmp_path / name)


def test_a_zarr_without_image_is_refused(tmp_path):
    zarr.open_group(str(tmp_path / "empty.zarr"), mode="w")
    with pytest.raises(InputFileError, match="not a readable OME-Zarr image"):
        open_volume(tmp_path / "empty.zarr")


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "real").mkdir()
    write_volume(tmp_path / "real" / "a.mrc", VOLUME)
    (tmp_path / "link.mrc").symlink_to(tmp_path / "real" / "a.mrc")
    write_volume(tmp_path / "link.mrc", Volume(VALUES * 2, 10.5))
    assert (tmp_path / "link.mrc").is_symlink()
    np.testing.assert_array_equal(open_volume(tmp_path / "real" / "a.mrc").array, VALUES * 2)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float16"])
def test_small_types_keep_rounded_values_and_refuse_what_does_not_fit(tmp_path, dtype):
    path = tmp_path / "a.mrc"
    write_volume(path, Volume(np.array([[[0.6, 2.4, 100.0]]]), 2.0), dtype=dtype)
    expected = [0.6, 2.4, 100.0] if dtype == "float16" else [1, 2, 100]
    # float16 keeps eleven bits.
    np.testing.assert_allclose(np.float32(open_volume(path).array[0, 0]), expected, rtol=1e-3)
    for bad in (1e6, -1e6, np.nan):
        with pytest.raises(MetadataError, match="do not fit"):
            write_volume(path, Volume(np.array([[[0.0, bad]]]), 2.0), dtype=dtype)
    np.testing.assert_allclose(np.float32(open_volume(path).array[0, 0]), expected, rtol=1e-3)
    assert files_in(tmp_path) == ["a.mrc"]


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [("a.tif", "float32", "cannot write"), ("a.mrc", "int32", "cannot store int32")],
)
def test_what_cannot_be_written_is_said_before_anything_is(tmp_path, name, dtype, message):
    with pytest.raises(MetadataError, match=message):
        write_volume(tmp_path / name, VOLUME, dtype=dtype)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["a.mrc", "a.zarr"])
def test_a_streamed_volume_appears_only_when_complete(tmp_path, name):
    path = tmp_path / name
    with new_volume(path, shape=VALUES.shape, pixel_size=10.5, origin_xyz=(1.0, 2.0, 3.0)) as array:
        assert not array.any()
        array[2:] = VALUES[2:]
        array[:2] = VALUES[:2]
        assert not path.exists()
    again = open_volume(path)
    np.testing.assert_array_equal(again.array, VALUES)
    assert again.origin_xyz == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("name", ["a.mrc", "a.zarr"])
@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_stopped_stream_leaves_the_old_file_and_no_litter(tmp_path, name, stop):
    path = tmp_path / name
    write_volume(path, VOLUME)

    def write_half():
        with new_volume(path, shape=(9, 9, 9), pixel_size=3.0) as array:
            array[0] = 1
            raise stop

    with pytest.raises(stop):
        write_half()
    np.testing.assert_array_equal(open_volume(path).array, VALUES)
    assert files_in(tmp_path) == [name]


@pytest.fixture
def small_disk():
    """No file may grow beyond 64 KiB; the system call then fails as on a full disk."""
    old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, old_limit[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
    signal.signal(signal.SIGXFSZ, old_handler)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz", "a.zarr"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, name):
    with pytest.raises(InputFileError, match="could not be written") as error:
        write_volume(tmp_path / name, Volume(np.zeros((32, 64, 64), np.float32), 10.0))
    assert "\n" not in str(error.value)
    assert files_in(tmp_path) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for name in ("a.mrc", "a.zarr"):
        with pytest.raises(InputFileError, match="cannot write here"):
            write_volume(tmp_path / "file" / name, VOLUME)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_found_wherever_they_are(tmp_path, bad):
    values = VALUES.copy()
    values[4, 5, 6] = bad
    with pytest.raises(InputFileError, match=r"\(4, 5, 6\)"):
        check_values(tmp_path / "a.mrc", values)


def test_constant_volumes_are_refused_and_others_pass(tmp_path):
    with pytest.raises(InputFileError, match="every voxel is 3"):
        check_values(tmp_path / "a.mrc", np.full((2, 3, 4), 3, np.int16))
    check_values(tmp_path / "a.mrc", VALUES)
