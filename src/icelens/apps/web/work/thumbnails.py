"""Small pictures of volumes and stacks: the middle, averaged over a few slices, grey, as PNG."""

import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.apps.web.files.kinds import kind_of_name
from icelens.apps.web.worker import Answer
from icelens.core.errors import InputFileError
from icelens.core.io.mrc import is_gzip, open_mrc, read_mrc_stack_header
from icelens.core.io.volumes import open_volume, read_header

_SLICES = 5
"""Averaged about the middle, so that there is something to see in a noisy tomogram."""
_LIMITS = (1.0, 99.0)
_LARGEST_GZIP = 2**30
_LARGEST_PLANE = 2**26


def thumbnail(file: str, size: int) -> Answer:
    """A picture of a file as PNG; its longer side has at most `size` px.

    Raises:
        IcelensError: If there is nothing to see in the file.
    """
    path = Path(file)
    kind = kind_of_name(path.name)
    if not path.exists() or kind not in ("volume", "stack"):
        raise InputFileError(f"{path.name}: has no picture")
    if path.is_file() and is_gzip(path) and _num_bytes(path, kind) > _LARGEST_GZIP:
        raise InputFileError(f"{path.name}: is too large to be unpacked for a picture")
    plane = _plane(path, is_stack=kind == "stack")
    return Answer({"shape": list(plane.shape)}, png(grey(binned(plane, size))))


def _num_bytes(path: Path, kind: str) -> int:
    """Bytes of a file, or those that its values take where that is more."""
    header = read_mrc_stack_header(path) if kind == "stack" else read_header(path)
    return max(path.stat().st_size, math.prod(header.shape) * header.dtype.itemsize)


def binned(plane: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """A plane averaged over squares, so that its longer side has at most `size` px."""
    step = max(1, -(-max(plane.shape) // size))
    num_y, num_x = (max(1, side // step) for side in plane.shape)
    cut = plane[: num_y * step, : num_x * step]
    if min(plane.shape) < step:
        return plane[::step, ::step]
    folded: npt.NDArray[np.float32] = cut.reshape(num_y, step, num_x, step).mean(axis=(1, 3))
    return folded


def grey(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Grey values between two percentiles; what is no number is black."""
    finite = plane[np.isfinite(plane)]
    if not finite.size:
        return np.zeros(plane.shape, np.uint8)
    low, high = np.percentile(finite, _LIMITS)
    scaled = (np.nan_to_num(plane, nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-30)
    values: npt.NDArray[np.uint8] = (np.clip(scaled, 0.0, 1.0) * 255.0).astype(np.uint8)
    return values


def png(values: npt.NDArray[np.uint8]) -> bytes:
    """An eight bit grey picture; values are `(y, x)`, the first row at the top."""
    num_y, num_x = values.shape
    rows = np.zeros((num_y, num_x + 1), np.uint8)
    rows[:, 1:] = values
    head = struct.pack(">IIBBBBB", num_x, num_y, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _plane(path: Path, *, is_stack: bool) -> npt.NDArray[np.float32]:
    """The mean of slices about the middle, or the first image of a stack; y goes up in MRC."""
    if is_stack:
        array = open_mrc(path, is_stack=True)[1]
        chosen = slice(0, 1)
    else:
        array = open_volume(path, pixel_size=1.0, pixel_size_from="metadata").array
        middle = array.shape[0] // 2
        chosen = slice(max(0, middle - _SLICES // 2), middle + _SLICES // 2 + 1)
    if array.shape[1] * array.shape[2] > _LARGEST_PLANE:
        raise InputFileError(f"{path.name}: slices are too large for a picture")
    planes = np.asarray(array[chosen], dtype=np.float32)
    mean: npt.NDArray[np.float32] = planes.mean(axis=0, dtype=np.float32)
    return mean[::-1]
