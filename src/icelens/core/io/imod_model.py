"""Contours drawn in 3dmod: IMOD's binary models (.mod), and their points as plain text."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError
from icelens.core.io.number_table import read_number_table

Contours = list[npt.NDArray[np.float64]]

# Sizes in bytes by the specification of the binary model, version 1.2; all numbers big-endian.
_HEADER_BYTES, _OBJECT_BYTES, _CONTOUR_BYTES, _MESH_BYTES = 232, 176, 16, 16
_POINT_BYTES, _MESH_INDEX_BYTES = 12, 4


def read_contours(path: Path) -> Contours:
    """Read contours, each an array `(point, 3)` of x, y, z in pixels of the volume they lie on.

    Pixel i covers i to i + 1 along x and y; z counts sections from 0. Text may hold x y z (points
    of one section are one contour), contour x y z, or object contour x y z, as `model2point`
    writes them.

    Raises:
        InputFileError: If the file is missing, damaged or holds no contour.
    """
    if path.suffix.lower() != ".mod":
        return _from_table(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if content[:8] != b"IMODV1.2":
        raise InputFileError(
            f"{path}: begins with {content[:8]!r}, expected a binary IMOD model (IMODV1.2); "
            "save it again in 3dmod"
        )
    try:
        contours = _walk(content, 8 + _HEADER_BYTES)
    except (struct.error, ValueError) as error:
        raise InputFileError(
            f"{path}: the model is truncated or damaged ({error}); save it again in 3dmod"
        ) from error
    if not contours:
        raise InputFileError(f"{path}: the model holds no contour; draw one in 3dmod")
    return contours


def _walk(content: bytes, position: int) -> Contours:
    """Go from chunk to chunk; objects, contours and meshes do not state their size, others do."""
    contours: Contours = []
    while True:
        kind, position = content[position : position + 4], position + 4
        if kind == b"IEOF":
            return contours
        if kind == b"OBJT":
            position += _OBJECT_BYTES
        elif kind == b"CONT":
            (num_points,) = struct.unpack_from(">i", content, position)
            position += _CONTOUR_BYTES
            points = np.frombuffer(content, ">f4", 3 * num_points, position)
            position += num_points * _POINT_BYTES
            if num_points:
                contours.append(points.reshape(-1, 3).astype(np.float64))
        elif kind == b"MESH":
            num_vertices, num_indices = struct.unpack_from(">ii", content, position)
            position += _MESH_BYTES + num_vertices * _POINT_BYTES + num_indices * _MESH_INDEX_BYTES
        else:
            (size,) = struct.unpack_from(">i", content, position)
            if size < 0:
                raise ValueError(f"chunk {kind!r} of {size} bytes")
            position += 4 + size


def _from_table(path: Path) -> Contours:
    rows = read_number_table(path, expected="a point x y z, or contour x y z", min_columns=3)
    width = min(len(row) for row in rows)
    table = np.array([row[:width] for row in rows])
    points = table[:, -3:] if width <= 5 else table[:, :3]
    keys = table[:, :-3] if 4 <= width <= 5 else table[:, 2:3]
    _, first, owner = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return [points[owner.ravel() == number] for number in np.argsort(np.argsort(first))]
