"""Tests of apps/web/files/uploads.py."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from icelens.apps.web.files import uploads
from icelens.apps.web.files.uploads import UploadError, cleaned_name, keep_upload


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _keep(folder: Path, name: str, *parts: bytes, expected: int = 0) -> Path:
    return asyncio.run(keep_upload(folder, name, _parts(*parts), expected))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a b.mrc", "a b.mrc"),
        ("../../etc/x.star", "x.star"),
        ("..\\..\\x.star", "x.star"),
        ("-rf.star", "rf.star"),
        ("..hidden.star", "hidden.star"),
        ("a;$(rm)`x`.star", "a__(rm)_x_.star".replace("(", "_").replace(")", "_")),
        ("tomö.mrc.gz", "tomö.mrc.gz"),
        ("x" * 300 + ".mrc", "x" * 116 + ".mrc"),
    ],
)
def test_names_become_safe(name: str, clean: str) -> None:
    assert cleaned_name(name) == clean


@pytest.mark.parametrize(
    "name", ["", ".mrc", "x", "x.exe", "x.html", "x.svg", "x.sh", "x.py", "a/.star", "x.zarr"]
)
def test_other_kinds_are_refused(name: str) -> None:
    with pytest.raises(UploadError, match="not taken"):
        cleaned_name(name)


def test_a_file_is_kept_whole_and_never_over_another(tmp_path: Path) -> None:
    first = _keep(tmp_path / "uploads", "x.star", b"ab", b"cd", expected=4)
    second = _keep(tmp_path / "uploads", "x.star", b"other")
    third = _keep(tmp_path / "uploads", "x.star", b"third")
    assert first.read_bytes() == b"abcd"
    assert [second.name, third.name] == ["x-2.star", "x-3.star"]
    assert second.read_bytes() == b"other"
    assert len(list((tmp_path / "uploads").iterdir())) == 3


def test_a_broken_upload_leaves_nothing(tmp_path: Path) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"some"
        raise ConnectionError

    with pytest.raises(UploadError):
        asyncio.run(keep_upload(tmp_path, "x.star", breaks(), 0))
    with pytest.raises(UploadError, match="only 2 of 5"):
        _keep(tmp_path, "x.star", b"ab", expected=5)
    assert list(tmp_path.iterdir()) == []


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_refuses_before_and_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [2**30 + 100]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(2**40, 0, free[0]))
    with pytest.raises(UploadError, match="too full"):
        _keep(tmp_path, "x.star", b"", expected=1000)
    monkeypatch.setattr(uploads, "_BLOCK", 16)
    free[0] = 2**30 + 20
    with pytest.raises(UploadError, match="too full"):
        _keep(tmp_path, "x.star", b"a" * 40)
    assert list(tmp_path.iterdir()) == []


def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="GiB"):
        _keep(tmp_path, "x.star", b"", expected=2**60)


def test_without_hard_links_files_are_kept_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(source: Path, target: Path) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr("os.link", refuses)
    assert _keep(tmp_path, "x.star", b"a").name == "x.star"
    assert _keep(tmp_path, "x.star", b"b").name == "x-2.star"
