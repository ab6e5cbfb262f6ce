"""Bytes of a log become lines that can be shown."""

import pytest

from icelens.apps.web.job_view.log_lines import LONGEST, read_lines


def only(block):
    (line,), rest = read_lines(block + b"\n", 0)
    assert rest == ""
    return line


def test_a_line_of_our_log_has_time_level_and_text():
    line = only(b"2026-01-01T10:00:00+00:00 WARNING the loss rose")
    assert (line.time, line.level, line.text) == (
        "2026-01-01T10:00:00+00:00",
        "warning",
        "the loss rose",
    )


def test_of_a_progress_bar_the_last_state_is_shown():
    assert only(b" 10%|#  |\r 50%|## |\r100%|###|\r").text == "100%|###|"
    assert read_lines(b" 10%\r 20%", 0) == ([], " 20%")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1b[31mred\x1b[0m",
        b"\x1b]0;title\x07red",
        b"\x1b]8;;http://evil\x1b\\red",
        b"\x1b(Bred",
        b"r\x00e\x08d",
        "\u202ered".encode(),
    ],
)
def test_what_would_act_on_a_terminal_is_taken_out(raw):
    assert only(raw).text == "red"


def test_long_lines_are_cut_and_say_how_much_is_missing():
    line = only(b"x" * (LONGEST + 7))
    assert (len(line.text), line.cut) == (LONGEST, 7)


def test_bytes_that_are_no_text_are_marked():
    assert only(b"caf\xe9 \xff").text == "caf\ufffd \ufffd"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("/x/y.py:3: UserWarning: odd", "warning"),
        ("warning: little memory", "warning"),
        ("Traceback (most recent call last):", "error"),
        ("ValueError: no", "error"),
        ("icelens: error: no", ""),
        ("no errors at all", ""),
    ],
)
def test_lines_of_other_programs_say_their_level_themselves(text, level):
    assert only(text.encode()).level == level


def test_offsets_are_those_of_bytes():
    lines, _ = read_lines("ä\nb\n".encode(), 100)
    assert [line.offset for line in lines] == [100, 103]
