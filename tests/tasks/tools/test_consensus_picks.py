"""`icelens tools consensus-picks`: sets of places."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icelens.apps import cli
from icelens.core.io.star import read_star, write_star

FIRST = [("m1", 100, 100), ("m1", 500, 500), ("m2", 100, 100), ("m3", 50, 50)]
SECOND = [("x/m1.mrc", 105, 100), ("x/m2.mrc", 300, 300), ("x/m3.mrc", 50, 62)]


def picks(path: Path, rows: list, group: str = "one", **columns: object) -> Path:
    names, x, y = zip(*rows, strict=True)
    table = pd.DataFrame(
        {
            "rlnMicrographName": names,
            "rlnCoordinateX": np.asarray(x, float),
            "rlnCoordinateY": np.asarray(y, float),
            "rlnOpticsGroup": 1,
        }
        | columns
    )
    optics = pd.DataFrame({"rlnOpticsGroup": [1], "rlnOpticsGroupName": [group]})
    write_star(path, {"optics": optics, "particles": table})
    return path


def places(path: Path) -> list[tuple[str, float]]:
    table = read_star(path)["particles"]
    return list(zip(table["rlnMicrographName"], table["rlnCoordinateX"], strict=True))


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    return [
        picks(tmp_path / "a.star", FIRST, rlnAutopickFigureOfMerit=np.arange(4.0)),
        picks(tmp_path / "b.star", SECOND, "two"),
    ]


def consensus(files: list[Path], *words: str) -> Path:
    path = files[0].parent / "out.star"
    command = ["tools", "consensus-picks", "--picks", ",".join(map(str, files))]
    assert cli.main([*command, "--output", str(path), *words]) == 0
    return path


def test_intersection_keeps_rows_of_the_first_file_with_all_columns(two):
    path = consensus(two)
    assert places(path) == [("m1", 100.0), ("m3", 50.0)]
    assert read_star(path)["particles"]["rlnAutopickFigureOfMerit"].tolist() == [0.0, 3.0]
    near = consensus(two, "--distance", "10")
    assert places(near) == [("m1", 100.0)]


def test_difference_keeps_what_no_other_has(two):
    assert places(consensus(two, "--operation", "difference")) == [("m1", 500.0), ("m2", 100.0)]


def test_union_adds_what_is_new_with_the_optics_it_had(two):
    path = consensus(two, "--operation", "union")
    assert places(path) == [*[(name, float(x)) for name, x, _ in FIRST], ("x/m2.mrc", 300.0)]
    blocks = read_star(path)
    assert blocks["optics"]["rlnOpticsGroupName"].tolist() == ["one", "two"]
    assert blocks["particles"]["rlnOpticsGroup"].tolist() == [1, 1, 1, 1, 2]
    assert "rlnAutopickFigureOfMerit" not in blocks["particles"].columns


def test_equal_optics_become_one_in_a_union(tmp_path):
    files = [picks(tmp_path / "a.star", FIRST), picks(tmp_path / "b.star", SECOND)]
    blocks = read_star(consensus(files, "--operation", "union"))
    assert len(blocks["optics"]) == 1
    assert set(blocks["particles"]["rlnOpticsGroup"]) == {1}


def test_two_picks_near_one_are_told_apart(tmp_path):
    first = picks(tmp_path / "a.star", [("m", 0, 0), ("m", 8, 0)])
    second = picks(tmp_path / "b.star", [("m", 1, 0)])
    assert places(consensus([first, second])) == [("m", 0.0)]


def test_third_coordinate_counts_where_there_is_one(tmp_path):
    rows = [("t1", 10, 10), ("t1", 10, 10)]
    first = picks(tmp_path / "a.star", rows, rlnCoordinateZ=[10.0, 90.0])
    second = picks(tmp_path / "b.star", rows[:1], rlnCoordinateZ=[88.0])
    table = read_star(consensus([first, second]))["particles"]
    assert table["rlnCoordinateZ"].tolist() == [90.0]


@pytest.mark.parametrize(
    ("broken", "piece"),
    [
        ("name", "no column rlnTomoName or rlnMicrographName"),
        ("x", "rlnCoordinateX is missing"),
        ("text", "hold text"),
        ("apart", "no pick is left"),
        ("ending", "expected .star"),
    ],
)
def test_bad_files_are_named(broken, piece, tmp_path, capsys):
    first = picks(tmp_path / "a.star", FIRST)
    second = picks(tmp_path / "b.star", SECOND)
    text = second.read_text()
    if broken == "name":
        second.write_text(text.replace("_rlnMicrographName", "_rlnOther"))
    if broken == "x":
        second.write_text(text.replace("_rlnCoordinateX", "_rlnOther"))
    if broken == "text":
        second.write_text(text.replace("105.000000", "far"))
    if broken == "apart":
        second.write_text(text.replace("x/m", "x/n"))
    if broken == "ending":
        second = second.rename(tmp_path / "b.txt")
    command = ["tools", "consensus-picks", "--picks", f"{first},{second}"]
    assert cli.main([*command, "--output", str(tmp_path / "out.star")]) == 2
    assert piece in capsys.readouterr().err
    assert not (tmp_path / "out.star").exists()


def test_one_file_is_no_consensus(two, capsys):
    command = ["tools", "consensus-picks", "--picks", str(two[0])]
    assert cli.main([*command, "--output", str(two[0].parent / "out.star")]) == 2
    assert "expected two or more" in capsys.readouterr().err
