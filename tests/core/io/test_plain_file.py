"""Tests of core/io/plain_file.py and plain_json.py: what others put there keeps nobody waiting."""

import os
from pathlib import Path

import pytest

from icelens.core.io.plain_file import open_plain, read_plain
from icelens.core.io.plain_json import is_text, parse_json


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    with open_plain(tmp_path / "x") as file:
        assert file.read() == b"12345"
    assert read_plain(tmp_path / "x", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_plain(tmp_path / "x", 4)


@pytest.mark.parametrize("kind", ["pipe", "folder", "/dev/zero"])
def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"regular file|directory"):
        open_plain(tmp_path / kind)


def test_halves_of_characters_become_text_that_can_be_written() -> None:
    found = parse_json(b'{"\\ud800": ["a\\udfff", "\\ud83e\\uddca"]}')
    assert found == {"?": ["a?", "\U0001f9ca"]}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"", b'{"a":' * 100_000])
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        parse_json(content)


def test_names_that_are_no_text_are_known() -> None:
    assert is_text("täst")
    assert not is_text(os.fsdecode(b"\xff.mrc"))
