"""STAR tables come back as they were: each row, string and digit, in all dialects we have."""

import linecache

import numpy as np
import pandas as pd
import pytest
import starfile
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.star import read_star, write_star

DIALECTS = (
    "FinalRefinement-OriginalParticles-PfCRT.star",
    "relion31.6opticsgroups.star",
    "relion5.star",
    "relion_4.0.star",
    "sta_testing.star",
    "pytom_relion5/tomo200528_107.star",
    "relion5_tomo/tilt_series.star",
    "relion5_tomo/220728_TS_45.star",
)


def assert_equal_blocks(blocks, others):
    assert list(blocks) == list(others)
    for name, frame in blocks.items():
        pd.testing.assert_frame_equal(frame, others[name], check_exact=True)


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_go_round_exactly(shared_data, tmp_path, name):
    source = shared_data / "metadata_star" / name
    blocks = read_star(source)
    write_star(tmp_path / "copy.star", blocks)
    assert_equal_blocks(blocks, read_star(tmp_path / "copy.star"))
    # Rows counted in the text by nothing but their beginnings.
    marks = ("data_", "loop_", "_", "#")
    lines = [line.strip() for line in source.read_text().splitlines()]
    rows = [line for line in lines if line and not line.startswith(marks)]
    assert sum(len(frame) for frame in blocks.values()) == len(rows)


@pytest.mark.parametrize("name", DIALECTS)
def test_numbers_are_those_that_starfile_reads(shared_data, name):
    source = shared_data / "metadata_star" / name
    theirs = starfile.read(source, always_dict=True)
    for block, frame in read_star(source).items():
        numbers = frame.select_dtypes("number")
        np.testing.assert_array_equal(numbers, theirs[block][numbers.columns])


def one_column(path, *values):
    path.write_text("data_\n\nloop_\n_first #1\n_second #2\n" + "".join(f"{v} 1\n" for v in values))
    return list(read_star(path)[""]["first"])


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2"], [1, -2]),
        (["1", "2.5e3"], [1.0, 2500.0]),
        (["007", "008"], ["007", "008"]),
        (["1.0", "None"], ["1.0", "None"]),
        (['"a b"', "'c d'"], ["a b", "c d"]),
        (["it's", "O'Brien/a.mrc"], ["it's", "O'Brien/a.mrc"]),
        (["a#1.mrc", '"b # c"'], ["a#1.mrc", "b # c"]),
        (['""', "x"], ["", "x"]),
        (["data_even/a.mrc", "data_odd/a.mrc"], ["data_even/a.mrc", "data_odd/a.mrc"]),
        (["[1,2,3]", "größe/α.mrc"], ["[1,2,3]", "größe/α.mrc"]),
    ],
)
def test_values_that_trip_parsers(tmp_path, texts, values):
    path = tmp_path / "a b.star"
    assert one_column(path, *texts) == values
    blocks = read_star(path)
    write_star(path, blocks)
    assert_equal_blocks(blocks, read_star(path))


def test_integers_beyond_sixty_four_bits_do_not_overflow(tmp_path):
    found = one_column(tmp_path / "a.star", "1", "12345678901234567890123")
    assert found == [1.0, 12345678901234567890123.0]


def test_missing_values_stay_missing(tmp_path):
    found = one_column(tmp_path / "a.star", "nan", "2.5")
    assert np.isnan(found[0])
    assert found[1] == 2.5
    assert one_column(tmp_path / "a.star", "<NA>", "text") == [None, "text"]


def test_blocks_without_a_loop_stay_without(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_general\n\n_one 1\n_path 'my file.mrc' # why\n\ndata_x\nloop_\n_a\n5\n")
    blocks = read_star(path)
    assert blocks["general"].to_dict("records") == [{"one": 1, "path": "my file.mrc"}]
    write_star(path, blocks)
    assert path.read_text().count("loop_") == 1
    assert_equal_blocks(blocks, read_star(path))


def test_empty_loops_keep_their_columns(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_none\nloop_\n_a #1\n_b #2\n\n# comment\ndata_x\nloop_\n_c\n5\n")
    blocks = read_star(path)
    assert (list(blocks["none"].columns), len(blocks["none"]), len(blocks["x"])) == (
        ["a", "b"],
        0,
        1,
    )
    write_star(path, blocks)
    assert_equal_blocks(blocks, read_star(path))


def test_line_ends_of_windows_and_byte_order_marks_do_not_matter(tmp_path):
    path = tmp_path / "a.star"
    path.write_bytes("\ufeffdata_\r\nloop_\r\n_a\r\n_b\r\nx 1\r\n".encode())
    assert read_star(path)[""].to_dict("records") == [{"a": "x", "b": 1}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("hello\n", "no data_ block"),
        ("data_\nloop_\n_a\n_b\n1 2\n3\n", "line 6 has 1 values, expected 2"),
        ("data_\nloop_\n_a\n_b\n1 2 3\n", "line 5 has 3 values, expected 2"),
        ("data_\nloop_\n_a\n_b\n1 my file.mrc\n", "double quotes"),
        ("data_\n_a\n", "line 2 has 0 values, expected 1"),
        ('data_\nloop_\n_a\n_b\n1 "open\n', "never closes"),
        ("data_\nloop_\n_a\n_a\n1 2\n", "_a comes twice"),
        ("data_x\n_a 1\ndata_x\n_a 1\n", "two blocks are called data_x"),
        (b"data_\nloop_\n_a\n\xff\xfe\n", "not text in UTF-8"),
    ],
)
def test_broken_tables_name_file_and_line(tmp_path, content, message):
    path = tmp_path / "broken.star"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputFileError, match=message) as error:
        read_star(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_missing_files_and_folders_are_one_line(tmp_path):
    with pytest.raises(InputFileError, match="no such STAR file"):
        read_star(tmp_path / "absent.star")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_star(tmp_path)


@pytest.mark.parametrize("value", ["a\tb", "a\nb", 'a"b'])
def test_what_star_cannot_hold_is_refused_before_writing(tmp_path, value):
    with pytest.raises(MetadataError, match="STAR cannot hold"):
        write_star(tmp_path / "a.star", {"": pd.DataFrame({"a": [value]})})
    assert list(tmp_path.iterdir()) == []


def test_a_file_changed_a_moment_ago_is_read_anew(tmp_path):
    path = tmp_path / "a.star"
    for number in range(3):
        write_star(path, {"": pd.DataFrame({"a": [number]})})
        linecache.getlines(str(path))
        assert read_star(path)[""]["a"].tolist() == [number]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 0.1 + 0.2], "b": ["x", "None"]})
    for name in ("1", "2"):
        write_star(tmp_path / name, {"": frame})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert "1.000000\t" in (tmp_path / "1").read_text()


printable = st.text(st.characters(blacklist_categories=("C", "Z"), blacklist_characters='"'))


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    words=st.lists(printable | st.just("two words") | st.just("a\u00a0b"), min_size=4, max_size=4),
)
def test_any_table_comes_back(tmp_path_factory, numbers, words):
    # A first word keeps the column text: a column of digits alone is numbers by definition.
    frame = pd.DataFrame({"text": ["word", *words][: len(numbers)], "number": numbers})
    path = tmp_path_factory.mktemp("star") / "any.star"
    write_star(path, {"": frame})
    again = read_star(path)[""]
    expected = [None if word in ("nan", "NaN", "<NA>") else word for word in frame["text"]]
    assert again["text"].tolist() == expected
    np.testing.assert_array_equal(again["number"].astype(float), frame["number"])


def test_rows_that_need_a_second_look_read_like_plain_ones(tmp_path):
    plain = "a/b.mrcs 12 -1.5e-3 007 None nan"
    rows = [
        plain,
        plain + " # a word",
        plain.replace("a/b.mrcs", '"a/b.mrcs"'),
        "\t" + plain + "\r",
    ]
    head = "data_particles\nloop_\n" + "".join(f"_c{number}\n" for number in range(6))
    (tmp_path / "mixed.star").write_text(head + "\n".join([*rows, ""]))
    (tmp_path / "plain.star").write_text(head + "\n".join([plain] * len(rows)))
    assert_equal_blocks(read_star(tmp_path / "mixed.star"), read_star(tmp_path / "plain.star"))
    (tmp_path / "short.star").write_text(head + plain + "\na/b.mrcs 12\n")
    with pytest.raises(InputFileError, match="line 10 has 2 values, expected 6"):
        read_star(tmp_path / "short.star")
