"""Read and write density files of any format: header, memory map, whole or streamed.

Formats are told by content first and by name second: MRC (.mrc .mrcs .rec .map .st .ali, also
.gz), TIFF stacks (.tif .tiff) and OME-Zarr folders.
"""

import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io import mrc, ome_zarr, tiff
from icelens.core.io.atomic import atomic_folder, atomic_path
from icelens.core.io.mrc_writer import mapped_mrc, mrc_dtype
from icelens.core.io.plain_file import open_plain
from icelens.core.io.slabs import check_values, release_pages, slabs
from icelens.core.io.volume_header import PixelSizeFrom, VolumeHeader, resolve_pixel_size

__all__ = [
    "PixelSizeFrom",
    "VolumeHeader",
    "check_values",
    "new_volume",
    "open_volume",
    "read_header",
    "release_pages",
    "write_volume",
]

_HDF5_MAGIC = b"\x89HDF"


@dataclass(frozen=True)
class _Reader:
    """How one format is read."""

    read_header: Callable[[Path], VolumeHeader]
    open: Callable[[Path], tuple[VolumeHeader, npt.NDArray[np.generic]]]


_MRC = _Reader(mrc.read_mrc_header, mrc.open_mrc)
_TIFF = _Reader(tiff.read_tiff_header, tiff.open_tiff)
_ZARR = _Reader(ome_zarr.read_zarr_header, ome_zarr.open_zarr)


def read_header(path: Path) -> VolumeHeader:
    """Shape, pixel size, origin and type of a density file, without reading its values.

    Raises:
        InputFileError: If the file is missing, empty, truncated or of no known format.
        MetadataError: If its voxels are not cubes or its pixel size is not a number.
    """
    return _reader(path).read_header(path)


def open_volume(
    path: Path,
    *,
    pixel_size: float | None = None,
    pixel_size_from: PixelSizeFrom = "error",
) -> Volume:
    """Open a density file; values are a read-only memory map wherever the format allows.

    Values keep the type and byte order of the file: cast what you take out of them.

    Args:
        path: Density file, or OME-Zarr folder.
        pixel_size: In Å/px, from the user or the STAR file; needed if the header has none.
        pixel_size_from: Who is right if header and `pixel_size` differ by more than 1 %.

    Raises:
        InputFileError: If the file is missing, empty, truncated or of no known format.
        MetadataError: If the pixel size is unknown or contradictory.
    """
    header, array = _reader(path).open(path)
    used = resolve_pixel_size(path, header.pixel_size, pixel_size, pixel_size_from)
    return Volume(array, used, header.origin_xyz)


def write_volume(path: Path, volume: Volume, *, dtype: npt.DTypeLike = np.float32) -> None:
    """Write a volume, whole or not at all, with pixel size and origin.

    Args:
        path: Ends in `.mrc` (or another MRC name), `.mrc.gz` or `.zarr`.
        volume: What to write.
        dtype: float32, float16, int8, int16 or uint16; values are rounded for integers.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
        MetadataError: If the format is unknown, or values do not fit into `dtype`.
    """
    if path.suffix == ".gz":
        _write_gzip(path, volume, dtype)
        return
    with new_volume(
        path,
        shape=volume.shape,
        pixel_size=volume.pixel_size,
        origin_xyz=volume.origin_xyz,
        dtype=dtype,
    ) as target:
        for part in slabs(volume.shape):
            target[part] = _fitting(path, volume.array[part], target.dtype)
            release_pages(target)
            release_pages(volume.array)


@contextmanager
def new_volume(
    path: Path,
    *,
    shape: tuple[int, int, int],
    pixel_size: float,
    origin_xyz: tuple[float, float, float] = (0.0, 0.0, 0.0),
    dtype: npt.DTypeLike = np.float32,
) -> Iterator[npt.NDArray[np.generic]]:
    """Give a writable array on disk; it becomes `path` when the block ends without an error.

    The array starts as zeros and may be written in any order; memory stays bounded. If the block
    raises, nothing is left behind and an older file of that name is untouched.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
        MetadataError: If the format or type cannot be written.
    """
    stored = mrc_dtype(path, dtype)
    open_writer = _writer(path)
    volume = Volume(np.broadcast_to(np.zeros((), stored), shape), pixel_size, origin_xyz)
    with open_writer(path, volume) as values:
        yield values


def _writer(path: Path) -> Callable[[Path, Volume], AbstractContextManager[np.ndarray]]:
    if path.suffix.lower() in mrc.SUFFIXES:
        return _new_mrc
    if path.suffix.lower() == ome_zarr.SUFFIX:
        return _new_zarr
    raise MetadataError(
        f"{path}: cannot write a volume under this name, "
        f"expected {', '.join(mrc.SUFFIXES)}, .mrc.gz or .zarr"
    )


@contextmanager
def _new_mrc(path: Path, empty: Volume) -> Iterator[npt.NDArray[np.generic]]:
    with (
        atomic_path(path) as temporary,
        mapped_mrc(
            temporary,
            shape=empty.shape,
            pixel_size=empty.pixel_size,
            origin_xyz=empty.origin_xyz,
            dtype=empty.array.dtype,
        ) as values,
    ):
        yield values


@contextmanager
def _new_zarr(path: Path, empty: Volume) -> Iterator[npt.NDArray[np.generic]]:
    """Collect values in a plain file, since they may come in any order, then write the chunks."""
    with (
        atomic_folder(path) as folder,
        mapped_mrc(
            folder.with_name("values.mrc"),
            shape=empty.shape,
            pixel_size=empty.pixel_size,
            origin_xyz=empty.origin_xyz,
            dtype=empty.array.dtype,
        ) as values,
    ):
        yield values
        ome_zarr.write_zarr(folder, empty.with_array(values), name=path.stem)


def _write_gzip(path: Path, volume: Volume, dtype: npt.DTypeLike) -> None:
    """Compress a plain MRC, written first because its statistics come last."""
    with atomic_path(path) as temporary:
        plain = temporary.with_name(temporary.stem)
        try:
            write_volume(plain, volume, dtype=dtype)
            with plain.open("rb") as source, gzip.open(temporary, "wb", compresslevel=4) as target:
                shutil.copyfileobj(source, target)
        finally:
            plain.unlink(missing_ok=True)


def _fitting(
    path: Path, values: npt.NDArray[np.generic], dtype: np.dtype[np.generic]
) -> npt.NDArray[np.generic]:
    """Values in the type they are stored in, refused where they would wrap or overflow."""
    if dtype.itemsize == 4:
        return values
    numbers = np.asarray(values, np.float32)
    if dtype.kind in "iu":
        numbers = np.rint(numbers)
    low, high = _limits(dtype)
    if not (numbers.min() >= low and numbers.max() <= high):
        raise MetadataError(
            f"{path}: values from {numbers.min():g} to {numbers.max():g} do not fit {dtype.name} "
            f"({low:g} to {high:g}); scale them first or write float32"
        )
    return numbers.astype(dtype)


def _limits(dtype: np.dtype[np.generic]) -> tuple[float, float]:
    if dtype.kind in "iu":
        integers = np.iinfo(dtype.name)
        return float(integers.min), float(integers.max)
    floats = np.finfo(np.float16)
    return float(floats.min), float(floats.max)


def _reader(path: Path) -> _Reader:
    """The reader for a path: content decides, the name only where content is silent."""
    if not path.exists():
        found = "a broken symbolic link" if path.is_symlink() else "no such file"
        raise InputFileError(f"{path}: {found}; check the path and the working directory")
    if path.is_dir():
        if ome_zarr.is_zarr(path):
            return _ZARR
        raise InputFileError(
            f"{path}: a folder without zarr metadata, expected a density file or an OME-Zarr folder"
        )
    try:
        if tiff.is_tiff(path) or path.suffix.lower() in tiff.SUFFIXES:
            return _TIFF
        with open_plain(path) as stream:
            start = stream.read(4)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    if start == _HDF5_MAGIC:
        raise InputFileError(f"{path}: an HDF5 file, expected MRC, TIFF or OME-Zarr; convert it")
    return _MRC
