"""`icelens tools split-particles`: every row is in one part."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from particle_stars import write_star

from icelens.apps import cli
from icelens.core.io.star import read_star


def split(star: Path, *words: str) -> dict[str, list[str]]:
    folder = star.parent / "parts"
    command = ["tools", "split-particles", "--particles", str(star), "--output", str(folder)]
    assert cli.main([*command, *words]) == 0
    return {
        path.stem: read_star(path)["particles"]["rlnImageName"].tolist()
        for path in sorted(folder.glob("*.star"))
    }


def all_names(star: Path) -> list[str]:
    return read_star(star)["particles"]["rlnImageName"].tolist()


def stripped(names: list[str]) -> list[str]:
    return [f"{name.partition('@')[0]}@{Path(name.partition('@')[2]).name}" for name in names]


def test_parts_are_equal_stretches_or_dealt_at_random(tmp_path):
    star = write_star(tmp_path / "all.star", (4, 3))
    parts = split(star, "--parts", "3")
    assert [len(names) for names in parts.values()] == [3, 2, 2]
    assert stripped(list(chain(*parts.values()))) == all_names(star)
    dealt = split(star, "--parts", "3", "--shuffle", "--seed", "2")
    assert dealt != parts
    assert sorted(stripped(list(chain(*dealt.values())))) == sorted(all_names(star))


def test_half_sets_of_the_file_are_used_where_there_are_some(tmp_path):
    star = write_star(tmp_path / "all.star", rlnRandomSubset=[1, 2, 2, 1, 1])
    parts = split(star, "--half-sets")
    assert {name: len(names) for name, names in parts.items()} == {"half_1": 3, "half_2": 2}
    assert stripped(parts["half_2"]) == all_names(star)[1:3]


def test_half_sets_are_drawn_and_written_where_there_are_none(tmp_path, capsys):
    star = write_star(tmp_path / "all.star", (20,))
    parts = split(star, "--half-sets")
    assert {name: len(names) for name, names in parts.items()} == {"half_1": 10, "half_2": 10}
    table = read_star(tmp_path / "parts" / "half_2.star")["particles"]
    assert table["rlnRandomSubset"].tolist() == [2] * 10
    assert "dealt to half sets at random" in str(capsys.readouterr())


def test_values_of_a_column_make_parts_with_names_that_are_files(tmp_path):
    names = ["a/m 1.mrc", "a/m 1.mrc", "b/m2.mrc", "b/m2.mrc", "b/m3.mrc"]
    star = write_star(tmp_path / "all.star", rlnMicrographName=names)
    parts = split(star, "--by", "rlnMicrographName")
    assert {name: len(rows) for name, rows in parts.items()} == {
        "rlnMicrographName_a_m_1.mrc": 2,
        "rlnMicrographName_b_m2.mrc": 2,
        "rlnMicrographName_b_m3.mrc": 1,
    }
    optics = read_star(tmp_path / "parts" / "rlnMicrographName_b_m3.mrc.star")["optics"]
    assert optics.equals(read_star(star)["optics"])


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--parts", "9"], "5 rows, expected 9"),
        (["--by", "rlnRandomSubst"], "no column rlnRandomSubst"),
        (["--by", "rlnOpticsGrop"], "did you mean rlnOpticsGroup"),
        (["--by", "rlnOpticsGroup", "--half-sets"], "give one of them"),
    ],
)
def test_what_cannot_be_parted_is_said(words, piece, tmp_path, capsys):
    star = write_star(tmp_path / "all.star")
    command = ["tools", "split-particles", "--particles", str(star)]
    assert cli.main([*command, "--output", str(tmp_path / "parts"), *words]) == 2
    assert piece in capsys.readouterr().err
    assert not list(tmp_path.glob("parts/*.star"))


def test_column_of_measurements_is_no_way_to_part(tmp_path, capsys):
    star = write_star(tmp_path / "all.star", (1001,), has_images=False, rlnScore=np.arange(1001.0))
    command = ["tools", "split-particles", "--particles", str(star), "--by", "rlnScore"]
    assert cli.main([*command, "--output", str(tmp_path / "parts")]) == 2
    assert "1001 values" in capsys.readouterr().err


def test_known_half_sets_stay_where_others_are_drawn(tmp_path, capsys):
    star = write_star(tmp_path / "all.star", rlnRandomSubset=[1, 2, 0, 1, 0])
    parts = split(star, "--half-sets")
    names = all_names(star)
    assert {names[0], names[3]} <= set(stripped(parts["half_1"]))
    assert names[1] in stripped(parts["half_2"])
    assert "2 of 5 images" in str(capsys.readouterr())


def test_one_half_set_is_no_two(tmp_path, capsys):
    star = write_star(tmp_path / "all.star", rlnRandomSubset=[1, 1, 1, 1, 1])
    words = ["--particles", str(star), "--output", str(tmp_path / "parts"), "--half-sets"]
    assert cli.main(["tools", "split-particles", *words]) == 2
    assert "half set 2 is empty" in capsys.readouterr().err
    assert not list((tmp_path / "parts").glob("*.star"))


def test_parts_never_replace_the_file(tmp_path, capsys):
    star = write_star(tmp_path / "part_1.star", (4,))
    before = star.read_bytes()
    words = ["--particles", str(star), "--output", str(tmp_path)]
    assert cli.main(["tools", "split-particles", *words]) == 2
    assert "over itself" in capsys.readouterr().err
    assert star.read_bytes() == before
