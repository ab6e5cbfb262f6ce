"""Read MRC and CCP4 files: modes 0, 1, 2, 6, 12, either byte order, plain or gzip.

Files in the wild have wrong map ids and machine stamps, so both byte orders are tried and the one
that makes sense of mode, dimensions and file size wins. Format: Cheng et al., J. Struct. Biol. 192
(2015), 146-150; unsigned bytes as IMOD marks them.
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mrcfile.dtypes import HEADER_DTYPE

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import open_plain
from icelens.core.io.volume_header import ANISOTROPY, VolumeHeader, isotropic_pixel_size

SUFFIXES = (".mrc", ".mrcs", ".rec", ".map", ".st", ".ali", ".ccp4")
DTYPE_OF_MODE = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}

_HEADER_BYTES = 1024
_PART_BYTES = 2**24
# Marks by which IMOD says whether bytes are signed (bytes 152 and 156 of the header).
_IMOD_STAMP = 1146047817
_MAX_SIDE = 1_000_000
_Header = npt.NDArray[Any]  # a record without axes, in the byte order of the file


@dataclass(frozen=True)
class _Layout:
    """Where the values lie: stored shape (section, row, column), order of axes, type, offset."""

    stored_shape: tuple[int, int, int]
    transpose: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    offset: int

    @property
    def num_bytes(self) -> int:
        return self.offset + math.prod(self.stored_shape) * self.dtype.itemsize


def is_gzip(path: Path) -> bool:
    """Whether the file's content is compressed by gzip."""
    with open_plain(path) as stream:
        return stream.read(2) == b"\x1f\x8b"


def read_mrc_header(path: Path) -> VolumeHeader:
    """Read shape, pixel size, origin and type, and check them against the file's size."""
    header, layout = _read_layout(path)
    return _volume_header(path, header, layout)


def read_mrc_stack_header(path: Path) -> VolumeHeader:
    """The same of a stack of images: `(image, y, x)`, pixel size None unless x and y agree.

    Programs write anything as the depth of a stack's cell, so that only its sides are looked at.
    """
    header, layout = _read_layout(path)
    return _volume_header(path, header, layout, is_stack=True)


def open_mrc(path: Path, *, is_stack: bool = False) -> tuple[VolumeHeader, npt.NDArray[np.generic]]:
    """The header and the values `(z, y, x)`, a read-only memory map unless the file is gzip.

    Args:
        path: The file.
        is_stack: Whether z counts images; see `read_mrc_stack_header`.
    """
    header, layout = _read_layout(path)
    stored: npt.NDArray[np.generic]
    if is_gzip(path):
        content = _decompress(path, layout)
        _check_size(path, header, layout, len(content))
        num_values = math.prod(layout.stored_shape)
        stored = np.frombuffer(content, layout.dtype, num_values, layout.offset)
        stored = stored.reshape(layout.stored_shape)
    else:
        stored = np.memmap(path, layout.dtype, "r", layout.offset, layout.stored_shape)
    described = _volume_header(path, header, layout, is_stack=is_stack)
    return described, stored.transpose(layout.transpose)


def _read_layout(path: Path) -> tuple[_Header, _Layout]:
    """The header in the right byte order, and the layout it describes."""
    num_bytes = path.stat().st_size
    if num_bytes == 0:
        raise InputFileError(f"{path}: the file is empty, expected an MRC; copy or write it again")
    compressed = is_gzip(path)
    raw = _read_start(path, compressed=compressed)
    if len(raw) < _HEADER_BYTES:
        raise InputFileError(
            f"{path}: only {len(raw)} bytes, expected an MRC header of {_HEADER_BYTES}; "
            "the file is truncated or not an MRC"
        )
    header = _sensible_header(path, raw, None if compressed else num_bytes)
    layout = _layout(path, header)
    if not compressed:
        _check_size(path, header, layout, num_bytes)
    return header, layout


def _read_start(path: Path, *, compressed: bool) -> bytes:
    try:
        if compressed:
            with gzip.open(path) as stream:
                return stream.read(_HEADER_BYTES)
        with open_plain(path) as plain:
            return plain.read(_HEADER_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(f"{path}: cannot be read ({error}); copy it again") from error


def _decompress(path: Path, layout: _Layout) -> bytes:
    """What the header promises and no more: a small file may unpack to anything."""
    content = bytearray()
    try:
        with gzip.open(path) as stream:
            while len(content) < layout.num_bytes and (part := stream.read(_PART_BYTES)):
                content += part
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(
            f"{path}: the gzip file is damaged or truncated ({error}); copy it again"
        ) from error
    return bytes(content)


def _sensible_header(path: Path, raw: bytes, num_bytes: int | None) -> _Header:
    """The header in the byte order that gives a known mode and possible dimensions."""
    orders = ">", "<"
    # The stamp speaks first, but only if the numbers agree with it.
    if raw[212:213] != b"\x11":
        orders = "<", ">"
    headers = [np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order)).reshape(()) for order in orders]
    sane = [header for header in headers if _is_sane(header)]
    fitting = [header for header in sane if num_bytes is None or _claim(header) <= num_bytes]
    has_map_id = raw[208:211] == b"MAP"
    if fitting or (sane and has_map_id):
        return (fitting or sane)[0]
    if has_map_id:
        mode, nx, ny, nz = (int(headers[0][name]) for name in ("mode", "nx", "ny", "nz"))
        raise InputFileError(
            f"{path}: MRC mode {mode} of {nx} x {ny} x {nz} voxels cannot be read, expected mode "
            f"{', '.join(map(str, DTYPE_OF_MODE))} and positive sizes; convert it to mode 2"
        )
    raise InputFileError(
        f"{path}: not an MRC file (no MAP id, and sizes that do not fit the file); "
        "check the path, or convert the file to MRC"
    )


def _is_sane(header: _Header) -> bool:
    sides = [int(header[name]) for name in ("nx", "ny", "nz")]
    return (
        int(header["mode"]) in DTYPE_OF_MODE
        and all(0 < side < _MAX_SIDE for side in sides)
        and int(header["nsymbt"]) >= 0
    )


def _claim(header: _Header) -> int:
    """Number of bytes that the header promises."""
    num_values = math.prod(int(header[name]) for name in ("nx", "ny", "nz"))
    itemsize = np.dtype(DTYPE_OF_MODE[int(header["mode"])]).itemsize
    return _HEADER_BYTES + int(header["nsymbt"]) + num_values * itemsize


def _layout(path: Path, header: _Header) -> _Layout:
    sections, rows, columns = (int(header[name]) for name in ("nz", "ny", "nx"))
    depth = int(header["mz"])
    if int(header["ispg"]) >= 401 and depth > 0 and sections > depth:
        raise InputFileError(
            f"{path}: a stack of {sections // depth} volumes, expected one; split it first"
        )
    dtype = np.dtype(DTYPE_OF_MODE[int(header["mode"])])
    if int(header["mode"]) == 0 and _has_unsigned_bytes(header):
        dtype = np.dtype(np.uint8)
    return _Layout(
        stored_shape=(sections, rows, columns),
        transpose=_transpose(path, header),
        dtype=dtype.newbyteorder(header["mode"].dtype.byteorder),
        offset=_HEADER_BYTES + int(header["nsymbt"]),
    )


def _has_unsigned_bytes(header: _Header) -> bool:
    stamp, flags = np.frombuffer(header.tobytes()[152:160], header["mode"].dtype)
    return bool(stamp == _IMOD_STAMP and not flags & 1)


def _transpose(path: Path, header: _Header) -> tuple[int, int, int]:
    """How to reorder the stored axes (section, row, column) into (z, y, x)."""
    axes = [int(header[name]) for name in ("maps", "mapr", "mapc")]
    if axes == [0, 0, 0]:  # files older than the fields
        axes = [3, 2, 1]
    if sorted(axes) != [1, 2, 3]:
        raise InputFileError(
            f"{path}: axis order MAPC, MAPR, MAPS = {axes[2]}, {axes[1]}, {axes[0]} is impossible, "
            "expected a permutation of 1, 2, 3; correct the header"
        )
    return axes.index(3), axes.index(2), axes.index(1)


def _check_size(path: Path, header: _Header, layout: _Layout, num_bytes: int) -> None:
    if num_bytes < layout.num_bytes:
        sections, rows, columns = layout.stored_shape
        raise InputFileError(
            f"{path}: truncated, {num_bytes} bytes where {columns} x {rows} x {sections} voxels of "
            f"mode {int(header['mode'])} need {layout.num_bytes}; copy or write it again"
        )


def _volume_header(
    path: Path, header: _Header, layout: _Layout, *, is_stack: bool = False
) -> VolumeHeader:
    cell = [float(header["cella"][axis]) for axis in "xyz"]
    num_samples = [int(header[name]) for name in ("mx", "my", "mz")]
    voxel_xyz = [
        side / num if num > 0 else 0.0 for side, num in zip(cell, num_samples, strict=True)
    ]
    if is_stack:
        is_square = math.isclose(voxel_xyz[0], voxel_xyz[1], rel_tol=ANISOTROPY)
        voxel_xyz = [voxel_xyz[0] if is_square else 0.0] * 3
    pixel_size = isotropic_pixel_size(path, voxel_xyz)
    z, y, x = (layout.stored_shape[axis] for axis in layout.transpose)
    return VolumeHeader(
        (z, y, x), pixel_size, _origin(header, layout, pixel_size), layout.dtype, "mrc"
    )


def _origin(
    header: _Header, layout: _Layout, pixel_size: float | None
) -> tuple[float, float, float]:
    """The origin in Å; files that only fill NXSTART mean that many voxels."""
    x, y, z = (float(header["origin"][axis]) for axis in "xyz")
    if (x, y, z) == (0.0, 0.0, 0.0) and pixel_size is not None:
        starts = [int(header[name]) for name in ("nzstart", "nystart", "nxstart")]
        z, y, x = (starts[axis] * pixel_size for axis in layout.transpose)
    if not all(math.isfinite(value) for value in (x, y, z)):
        return 0.0, 0.0, 0.0
    return x, y, z
