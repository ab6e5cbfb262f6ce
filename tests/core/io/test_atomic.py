"""Files and folders appear whole or not at all."""

import os
import stat

import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_folder, atomic_path, make_folder


def fail_within(manager, error):
    with manager as path:
        if path.is_dir():
            (path / "part").write_text("half")
        else:
            path.write_text("half")
        raise error


def test_an_error_keeps_the_old_file_and_removes_the_new(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(KeyError):
        fail_within(atomic_path(target), KeyError("stop"))
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_keeps_the_old_folder_and_removes_the_new(tmp_path):
    target = tmp_path / "a.zarr"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(KeyError):
        fail_within(atomic_folder(target), KeyError("stop"))
    assert list(tmp_path.iterdir()) == [target]
    assert [path.name for path in target.iterdir()] == ["old"]


@pytest.mark.parametrize("make", [atomic_path, atomic_folder])
def test_a_full_disk_is_one_line(tmp_path, make):
    with pytest.raises(InputFileError, match=r"No space left on device.*nothing was changed"):
        fail_within(make(tmp_path / "a"), OSError(28, os.strerror(28)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaces_an_older_one_whole(tmp_path):
    target = tmp_path / "ä b.zarr"
    target.mkdir()
    (target / "old").touch()
    with atomic_folder(target) as folder:
        (folder / "new").touch()
        assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_new_files_have_ordinary_permissions_and_old_ones_keep_theirs(tmp_path):
    plain, target = tmp_path / "plain", tmp_path / "target"
    plain.touch()
    with atomic_path(target) as temporary:
        temporary.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    target.chmod(0o600)
    with atomic_path(target) as temporary:
        temporary.write_text("again")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text() == "again"


def test_folders_on_the_way_are_made(tmp_path):
    with atomic_path(tmp_path / "a" / "b" / "c.txt") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


def test_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputFileError, match="cannot write here"):
        make_folder(tmp_path / "file" / "below")
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
