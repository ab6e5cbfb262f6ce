"""What a fold found is read back to the bit, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import CheckpointError
from icelens.tasks.pick.held_out_file import (
    HELD_OUT_NAME,
    FinishedFold,
    read_fold,
    write_fold,
)
from icelens.tasks.pick.splits import Split


def fold(folder: Path) -> FinishedFold:
    rng = np.random.default_rng(0)
    some = Picks(rng.normal(size=(3, 3)), species=("a", "b", "a"), score=rng.random(3))
    checkpoint = folder / "last.safetensors"
    checkpoint.touch()
    split = Split(("TS_3",), ("TS_1", "TS_2"))
    picks = {"TS_1": some, "TS_2": Picks(np.empty((0, 3)))}
    return FinishedFold(folder, checkpoint, split, {"steps": 4}, picks, {"membrane": 0.25})


def test_picks_return_to_the_bit(tmp_path: Path) -> None:
    written = fold(tmp_path)
    write_fold(written)
    read = read_fold(tmp_path)
    assert read is not None
    assert (read.split, read.settings, read.dice) == (written.split, {"steps": 4}, written.dice)
    np.testing.assert_array_equal(
        read.picks["TS_1"].position_zyx, written.picks["TS_1"].position_zyx
    )
    np.testing.assert_array_equal(read.picks["TS_1"].score, written.picks["TS_1"].score)
    assert read.picks["TS_1"].species == ("a", "b", "a")
    assert len(read.picks["TS_2"]) == 0


def test_an_unfinished_fold_has_no_record(tmp_path: Path) -> None:
    assert read_fold(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"checkpoint": 3}'])
def test_a_damaged_record_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / HELD_OUT_NAME).write_text(text)
    with pytest.raises(CheckpointError, match=r"held_out.json: damaged.*remove it"):
        read_fold(tmp_path)


def test_a_lost_model_is_noticed(tmp_path: Path) -> None:
    written = fold(tmp_path)
    write_fold(written)
    written.checkpoint.unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        read_fold(tmp_path)
