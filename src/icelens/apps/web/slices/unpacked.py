"""Values of a volume where any plane is cheap: a memory map, of a temporary file if need be.

What is compressed (gzip, Zarr, most TIFF) is unpacked once into a file without a name, which
vanishes with the process that made it, whatever ends that.
"""

import gzip
import math
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io import mrc, ome_zarr
from icelens.core.io.volume_header import VolumeHeader
from icelens.core.io.volumes import open_volume
from icelens.core.io.zarr_library import check_chunks

Array = npt.NDArray[np.generic]

LARGEST_UNPACKED = 16 << 30
"""Bytes that are unpacked at most, however much room there is."""
_COPY_BYTES = 1 << 24


class ZarrPlanes:
    """Level 0 of a Zarr image that is too large to be unpacked: each plane reads its chunks."""

    def __init__(self, image: ome_zarr.ZarrImage, header: VolumeHeader) -> None:
        """Take an opened image of one channel."""
        self.shape = header.shape
        self.dtype = header.dtype
        self._level = image.level
        self._lead = (0,) * (len(image.level.shape) - 3)

    def __getitem__(self, index: Any) -> Array:  # noqa: ANN401 - whatever indexes an array
        """The values, as an array would give them."""
        rest = index if isinstance(index, tuple) else (index,)
        return np.asarray(self._level[(*self._lead, *rest)])


def unpacked(path: Path, header: VolumeHeader) -> Array | ZarrPlanes:
    """Values `(z, y, x)` in the type of the file, of which only planes should be taken.

    Args:
        path: Density file or OME-Zarr folder.
        header: What `read_header` says of it.

    Raises:
        InputFileError: If the file is damaged, or no room is left to unpack it.
    """
    try:
        if header.format == "ome-zarr":
            return _unpacked_zarr(path, header)
        if header.format == "mrc" and mrc.is_gzip(path):
            return _unpacked_gzip(path, header)
        if header.format == "tiff":
            _check_room(path, _num_bytes(header))
        known = header.pixel_size or 1.0
        return open_volume(path, pixel_size=known, pixel_size_from="header").array
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read or unpacked ({error.strerror or error}); check the file, and "
            f"that {tempfile.gettempdir()} has room"
        ) from error


def _unpacked_zarr(path: Path, header: VolumeHeader) -> Array | ZarrPlanes:
    image = ome_zarr.open_image(path)
    if header.dtype.kind in "fc":
        # zarr gives zeros for chunks that were lost, which would look like an empty tomogram
        check_chunks(path, image.level_name)
    planes = ZarrPlanes(image, header)
    if _num_bytes(header) > _room():
        return planes
    with tempfile.TemporaryFile(prefix="icelens-planes-") as file:
        try:
            for part in _chunk_slabs(image, header):
                file.write(np.ascontiguousarray(planes[part]).data)
        except (ValueError, RuntimeError, KeyError) as error:
            raise InputFileError(
                f"{path}: chunks cannot be read ({error}); copy the folder again"
            ) from error
        file.flush()
        return np.memmap(file, header.dtype, "r", 0, header.shape)


def _chunk_slabs(image: ome_zarr.ZarrImage, header: VolumeHeader) -> Iterator[slice]:
    """Slices along z of whole chunks, so that none is unpacked twice."""
    depth = max(1, int(image.level.chunks[-3]))
    for start in range(0, header.shape[0], depth):
        yield slice(start, min(start + depth, header.shape[0]))


def _unpacked_gzip(path: Path, header: VolumeHeader) -> Array:
    # the header may lie in either direction: no more is written than there is room for
    room = _check_room(path, _num_bytes(header))
    with tempfile.NamedTemporaryFile(prefix="icelens-planes-", suffix=".mrc") as file:
        try:
            with gzip.open(path) as source:
                _copy(path, source, file, room)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputFileError(
                f"{path}: the gzip file is damaged or truncated ({error}); copy it again"
            ) from error
        file.flush()
        try:
            return mrc.open_mrc(Path(file.name))[1]
        except IcelensError as error:
            raise InputFileError(str(error).replace(file.name, str(path))) from error


def _copy(path: Path, source: Any, target: IO[bytes], room: int) -> None:  # noqa: ANN401
    written = 0
    while block := source.read(_COPY_BYTES):
        written += len(block)
        if written > room:
            raise _no_room(path, written, room)
        target.write(block)


def _num_bytes(header: VolumeHeader) -> int:
    return math.prod(header.shape) * header.dtype.itemsize


def _room() -> int:
    """Bytes that may be unpacked: half of what is free, others want some as well."""
    return min(LARGEST_UNPACKED, shutil.disk_usage(tempfile.gettempdir()).free // 2)


def _check_room(path: Path, needed: int) -> int:
    room = _room()
    if needed > room:
        raise _no_room(path, needed, room)
    return room


def _no_room(path: Path, needed: int, room: int) -> InputFileError:
    return InputFileError(
        f"{path}: compressed, and unpacking needs more than {needed / 1e9:.3g} GB where "
        f"{room / 1e9:.3g} GB may be used; save it as plain MRC"
    )
