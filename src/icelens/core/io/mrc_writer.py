"""Write MRC files as memory maps: space is reserved first, statistics are filled in at the end."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mrcfile.dtypes import HEADER_DTYPE

from icelens import __version__
from icelens.core.errors import MetadataError
from icelens.core.io.slabs import Statistics, statistics

MODE_OF_DTYPE = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6, "float16": 12}

_RESERVE_BYTES = 1 << 24


@contextmanager
def mapped_mrc(
    path: Path,
    *,
    shape: tuple[int, int, int],
    pixel_size: float,
    origin_xyz: tuple[float, float, float],
    dtype: np.dtype[np.generic],
) -> Iterator[npt.NDArray[np.generic]]:
    """Make `path` an MRC and give its values to write; the header is completed at the end.

    Disk space is reserved before the map is opened, because a full disk under a memory map kills
    the process instead of raising an error.

    Raises:
        MetadataError: If MRC has no mode for `dtype`.
        OSError: If there is not enough space.
    """
    header = _new_header(shape, pixel_size, origin_xyz, dtype, is_stack=path.suffix == ".mrcs")
    with path.open("wb") as stream:
        stream.write(header.tobytes())
        _reserve(stream.fileno(), header.nbytes + math.prod(shape) * dtype.itemsize)
    values = np.memmap(path, dtype.newbyteorder("<"), "r+", header.nbytes, shape)
    try:
        yield values
        _fill_statistics(header, statistics(values))
        values.flush()
    finally:
        del values
    with path.open("r+b") as stream:
        stream.write(header.tobytes())


def mrc_dtype(path: Path, dtype: npt.DTypeLike) -> np.dtype[np.generic]:
    """`dtype` if MRC can store it, else an error that says what it can."""
    wanted = np.dtype(dtype)
    if wanted.name not in MODE_OF_DTYPE:
        raise MetadataError(
            f"{path}: MRC cannot store {wanted.name}, expected one of {', '.join(MODE_OF_DTYPE)}"
        )
    return wanted


def _new_header(
    shape: tuple[int, int, int],
    pixel_size: float,
    origin_xyz: tuple[float, float, float],
    dtype: np.dtype[np.generic],
    *,
    is_stack: bool,
) -> np.ndarray:
    """An MRC2014 header without statistics; an image stack is marked by space group 0."""
    header = np.zeros((), HEADER_DTYPE.newbyteorder("<"))
    for axis, num in zip("zyx", shape, strict=True):
        header[f"n{axis}"] = header[f"m{axis}"] = num
        header["cella"][axis] = num * pixel_size
    for axis, value in zip("xyz", origin_xyz, strict=True):
        header["origin"][axis] = value
    for number, name in enumerate(("mapc", "mapr", "maps"), start=1):
        header[name] = number
    for angle in ("alpha", "beta", "gamma"):
        header["cellb"][angle] = 90.0
    header["mode"] = MODE_OF_DTYPE[dtype.name]
    header["ispg"] = 0 if is_stack else 1
    header["nversion"] = 20141
    header["map"] = b"MAP "
    header["machst"] = (0x44, 0x44, 0, 0)
    header["nlabl"] = 1
    header["label"][0] = f"icelens {__version__}".encode()
    _fill_statistics(header, Statistics(minimum=0.0, maximum=-1.0, mean=-2.0, std=-1.0))
    return header


def _fill_statistics(header: np.ndarray, found: Statistics) -> None:
    header["dmin"], header["dmax"] = found.minimum, found.maximum
    header["dmean"], header["rms"] = found.mean, found.std


def _reserve(file: int, num_bytes: int) -> None:
    """Claim the disk space now."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, num_bytes)
        return
    position = os.lseek(file, 0, os.SEEK_END)
    while position < num_bytes:
        position += os.write(file, bytes(min(_RESERVE_BYTES, num_bytes - position)))
