"""A log is read in pieces, by its bytes."""

import io
import os

import pytest

from icelens.apps.web.job_view import log_file
from icelens.apps.web.job_view.log_file import (
    BLOCK,
    read_after,
    read_around,
    read_before,
    read_end,
    search,
)
from icelens.core.errors import InputFileError


def texts(piece):
    return [line.text for line in piece.lines]


@pytest.fixture
def counted(monkeypatch):
    """Bytes that were read from files."""
    read = []

    class Counting(io.FileIO):
        def read(self, size=-1):
            block = super().read(size)
            read.append(len(block))
            return block

    monkeypatch.setattr(log_file.io, "FileIO", Counting)
    return read


def test_the_end_of_a_log_of_100_mb_costs_one_block(tmp_path, counted):
    path = tmp_path / "log.txt"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)  # a sparse file: holes read as zeros
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe last line\n")
    assert texts(read_end(path))[-1] == "the last line"
    assert sum(counted) <= BLOCK


def test_a_log_is_read_upwards_without_gap_or_repetition(tmp_path):
    path = tmp_path / "log.txt"
    lines = [f"line {i} {'x' * (i % 90)}" for i in range(6000)]
    path.write_text("\n".join(lines) + "\n")
    piece = read_end(path, most=700)
    found = texts(piece)
    while piece.start:
        piece = read_before(path, piece.start, most=700)
        found = texts(piece) + found
    assert found == lines


def test_what_is_added_is_read_from_where_one_stopped(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("one\ntwo\nthr")
    piece = read_end(path)
    assert (texts(piece), piece.partial) == (["one", "two"], "thr")
    with path.open("a") as file:
        file.write("ee\nfour\n")
    more = read_after(path, piece.end, file_id=piece.file_id)
    assert (texts(more), more.partial, more.is_reset) == (["three", "four"], "", False)
    assert texts(read_after(path, more.end, file_id=more.file_id)) == []


def test_a_log_that_was_begun_anew_is_shown_anew(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("a long first attempt\n" * 10)
    piece = read_end(path)
    path.write_text("second\n")
    assert read_after(path, piece.end).is_reset
    path.rename(tmp_path / "old.txt")
    path.write_text("another file\n" * 100)
    again = read_after(path, 7, file_id=piece.file_id)
    assert again.is_reset
    assert set(texts(again)) == {"another file"}


def test_much_that_was_added_at_once_is_skipped_to_its_end(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("first\n")
    piece = read_end(path)
    with path.open("a") as file:
        file.write("filler\n" * 50_000 + "last\n")
    more = read_after(path, piece.end, file_id=piece.file_id)
    assert more.is_reset
    assert texts(more)[-1] == "last"


def test_one_line_longer_than_a_block_is_shown_in_parts(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"begin\n" + b"y" * (3 * BLOCK) + b"\nend\n")
    piece = read_end(path)
    assert texts(piece)[-1] == "end"
    seen = 0
    while piece.start:
        piece = read_before(path, piece.start)
        seen += 1
        assert seen < 10
    assert texts(piece)[0] == "begin"


def test_endless_output_without_lines_is_shown(tmp_path):
    path = tmp_path / "out.txt"
    path.write_bytes(b"z" * (2 * BLOCK))
    piece = read_end(path)
    assert texts(piece)[0].startswith("zzz")
    assert piece.end == 2 * BLOCK


def test_no_log_is_an_empty_one(tmp_path):
    assert read_end(tmp_path / "log.txt").lines == []
    assert read_after(tmp_path / "nowhere" / "log.txt", 10).is_reset


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "log.txt").mkdir()
    with pytest.raises(InputFileError, match="no regular file"):
        read_end(tmp_path / "log.txt")


def test_a_pipe_does_not_keep_one_waiting(tmp_path):
    os.mkfifo(tmp_path / "log.txt")
    with pytest.raises(InputFileError, match="no regular file"):
        read_end(tmp_path / "log.txt")


def test_offsets_beyond_the_file_are_harmless(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    assert texts(read_before(path, 10**12)) == ["one"]
    assert texts(read_around(path, 10**12)) == []
    assert read_after(path, 10**12).is_reset


def test_a_search_finds_lines_in_any_case_in_the_whole_log(tmp_path, monkeypatch):
    monkeypatch.setattr(log_file, "_SEARCH_BLOCK", 1000)
    path = tmp_path / "log.txt"
    path.write_text(
        "".join(f"line {i} {'Fault' if i % 50 == 0 else 'fine'}\n" for i in range(1000))
    )
    found = search(path, "fAULT")
    assert [line.text for line in found.lines] == [f"line {i} Fault" for i in range(0, 1000, 50)]
    hit = found.lines[3]
    around = read_around(path, hit.offset)
    assert hit.offset in [line.offset for line in around.lines]


def test_a_search_gives_the_latest_of_many_hits(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("".join(f"hit {i}\n" for i in range(1000)))
    found = search(path, "hit")
    assert found.is_more
    assert found.lines[-1].text == "hit 999"
    assert len(found.lines) == log_file.MOST_HITS
