"""Specks are pressed below the level, parts that count are not touched."""

import numpy as np

from icelens.core.volumes.largest_parts import largest_part, without_dust


def parts() -> np.ndarray:
    volume = np.zeros((16, 16, 16), np.float32)
    volume[2:8, 2:8, 2:8] = 2.0
    volume[10:13, 10:13, 10:13] = 2.0
    volume[14, 2, 2] = 5.0
    return volume


def test_specks_go_and_all_else_stays():
    clean = without_dust(parts(), 1.0)
    expected = parts()
    expected[14, 2, 2] = clean[14, 2, 2]
    assert clean[14, 2, 2] < 1.0
    assert np.array_equal(clean, expected)
    assert without_dust(clean, 1.0) is clean


def test_largest_part_is_alone():
    found = largest_part(parts() > 1.0)
    assert found.sum() == 6**3
    assert found[2, 2, 2]
    assert not largest_part(np.zeros((3, 3, 3), bool)).any()
