"""Poses of parts survive their files and are joined by row."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from icelens.core.refinement.pose_table import PoseTable
from icelens.tasks.pose.found_poses import FoundPoses, NetworkPoses, joined


def found(rows: list[int], top_k: int = 2) -> FoundPoses:
    count = len(rows)
    number = np.asarray(rows, np.float64)
    rotation = np.broadcast_to(np.eye(3), (count, top_k, 3, 3)) * number[:, None, None, None]
    each = np.repeat(number[:, None], top_k, axis=1)
    table = PoseTable(
        rotation + 0.0, np.repeat(each[..., None], 2, axis=-1), each + 1, each + 2, each + 3, number
    )
    network = NetworkPoses(rotation + 0.5, np.stack([number, number], axis=1), each, each + 5)
    return FoundPoses(np.asarray(rows), network, number + 7, number % 2 == 0, table)


def test_poses_survive_a_file_with_their_mark(tmp_path: Path) -> None:
    path = tmp_path / "part.safetensors"
    before = found([3, 1, 4])
    before.save(path, "made so")
    after, mark = FoundPoses.read(path)
    assert mark == "made so"
    for name in ("rows", "zscore", "is_kept"):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    for part, kind in (("network", NetworkPoses), ("table", PoseTable)):
        for each in fields(kind):
            values = [getattr(getattr(side, part), each.name) for side in (before, after)]
            assert np.array_equal(*values), each.name


def test_parts_are_joined_in_the_order_of_rows() -> None:
    whole = joined([found([4, 5]), found([0, 2]), found([1, 3])])
    assert list(whole.rows) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(whole.zscore, np.arange(6) + 7.0)
    assert np.array_equal(whole.table.entropy, np.arange(6.0))
    assert np.array_equal(whole.network.shift_yx[:, 0], np.arange(6.0))
    assert len(whole.network) == 6


@pytest.mark.parametrize("rows", [[], [2]])
def test_small_parts_are_parts_too(rows: list[int], tmp_path: Path) -> None:
    found(rows).save(tmp_path / "a.safetensors", "")
    again, _ = FoundPoses.read(tmp_path / "a.safetensors")
    assert list(joined([again, found([9])]).rows) == [*rows, 9]
