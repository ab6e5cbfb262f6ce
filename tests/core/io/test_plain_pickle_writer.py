from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.plain_pickle import read_pickles
from icelens.core.io.plain_pickle_writer import write_pickles

VALUES: list[Any] = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array([1, 2], ">i4"),
    np.array(7, np.uint8),
    np.zeros((0, 2)),
    np.array([True]),
]


def test_arrays_come_back_from_both_readers(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "z.pkl"
    write_pickles(path, VALUES)
    with path.open("rb") as stream:
        by_python = [pickle.load(stream) for _ in VALUES]
    for value, ours, theirs in zip(VALUES, read_pickles(path), by_python, strict=True):
        for found in (ours, theirs):
            assert found.shape == value.shape
            assert found.dtype == value.dtype.newbyteorder("<")
            assert np.array_equal(found, value)


def test_containers_and_numbers_come_back(tmp_path: Path) -> None:
    whole = [0, -1, 127, 128, -128, 255, 256, 2**40, -(2**70)]
    value = {"a": whole, "b": (1.5, None, True, "Å"), "c": np.float32(2.5), "d": np.int8(-3)}
    write_pickles(tmp_path / "a.pkl", [value, ()])
    assert read_pickles(tmp_path / "a.pkl") == (value, ())


def test_names_are_those_that_older_numpy_knows(tmp_path: Path) -> None:
    write_pickles(tmp_path / "a.pkl", [VALUES[0]])
    content = (tmp_path / "a.pkl").read_bytes()
    assert b"numpy.core.multiarray" in content
    assert b"_core" not in content


@pytest.mark.parametrize("value", [np.array([None]), {1}, b"a", Path("a"), np.array(["a"])])
def test_nothing_else_is_written(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no "):
        write_pickles(tmp_path / "a.pkl", [value])
    assert not list(tmp_path.iterdir())


def test_no_value_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="nothing to write"):
        write_pickles(tmp_path / "a.pkl", [])
