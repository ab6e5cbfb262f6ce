"""Tables as CSV."""

from pathlib import Path

import pytest

from icelens.core.io.csv_table import write_csv


def test_table_has_a_header_and_floats_of_six_digits(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(path, ["shell", "value"], [[0, 1 / 3], [1, float("inf")], [1234567, 1.0]])
    assert path.read_bytes() == b"shell,value\n0,0.333333\n1,inf\n1234567,1\n"


def test_table_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(path, ["a"], [[1]])
    with pytest.raises(ZeroDivisionError):
        write_csv(path, ["a"], ([1 // number] for number in (1, 0)))
    assert path.read_text() == "a\n1\n"
    assert [found.name for found in tmp_path.iterdir()] == ["table.csv"]
