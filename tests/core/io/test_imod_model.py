import struct
from pathlib import Path

import numpy as np
import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.imod_model import read_contours

SQUARE = [(2.0, 3.0, 5.0), (10.0, 3.0, 5.0), (10.0, 9.0, 5.0), (2.0, 9.0, 5.0)]


def imod_model(*contours: list[tuple[float, float, float]], with_mesh: bool = True) -> bytes:
    """A model by the specification of IMOD's binary files, with chunks that must be skipped."""
    header = b"IMODV1.2" + b"tomogram".ljust(128, b"\0")
    header += struct.pack(">4iI4i", 100, 90, 20, 1, 0, 1, 0, 0, 255)
    header += struct.pack(
        ">6f5if2i3f", *[0.0] * 3, *[1.0] * 3, 0, 0, 0, 3, 128, 1.0, 0, 0, *[0.0] * 3
    )
    assert len(header) == 240
    thing = b"OBJT" + b"".ljust(64, b"\0") + bytes(64)
    thing += struct.pack(">iIii3fi8B2i", len(contours), 0, 0, 1, 0, 1, 0, 1, *[0] * 8, 1, 0)
    assert len(thing) == 4 + 176
    for points in contours:
        thing += b"CONT" + struct.pack(">iIii", len(points), 0, 0, 0)
        thing += b"".join(struct.pack(">3f", *point) for point in points)
        thing += b"LABL" + struct.pack(">i", 6) + b"CONT\0\0"
    if with_mesh:
        thing += b"MESH" + struct.pack(">iiIhh", 1, 2, 0, 0, 0) + bytes(12 + 8)
    thing += b"IMAT" + struct.pack(">i", 16) + bytes(16)
    return header + thing + b"IEOF"


def test_contours_of_a_binary_model_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "boundary.mod"
    path.write_bytes(imod_model(SQUARE, [(1.5, 2.5, 0.0)]))
    first, second = read_contours(path)
    np.testing.assert_array_equal(first, SQUARE)
    np.testing.assert_array_equal(second, [(1.5, 2.5, 0.0)])


@pytest.mark.parametrize("num_bytes", [0, 100, 300, 450, 480])
def test_truncated_model_is_refused(tmp_path: Path, num_bytes: int) -> None:
    path = tmp_path / "boundary.mod"
    path.write_bytes(imod_model(SQUARE)[:num_bytes])
    with pytest.raises(InputFileError, match="boundary"):
        read_contours(path)


def test_model_without_contours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "boundary.mod"
    path.write_bytes(imod_model())
    with pytest.raises(InputFileError, match="holds no contour"):
        read_contours(path)


def test_table_of_points_groups_by_section(tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text("2 3 9\n10 3 9\n# comment\n1 1 4\n10 9 9\n")
    nine, four = read_contours(path)
    np.testing.assert_array_equal(nine, [(2, 3, 9), (10, 3, 9), (10, 9, 9)])
    np.testing.assert_array_equal(four, [(1, 1, 4)])


def test_table_with_contour_numbers_groups_by_number(tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text("1 2 3 5\n1 10 3 5\n2 4 4 5\n")
    assert [len(points) for points in read_contours(path)] == [2, 1]
