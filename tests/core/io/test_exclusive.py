"""Of several processes one makes a folder, and one renames a file."""

import multiprocessing
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.exclusive import make_once, rename_once

FORK = multiprocessing.get_context("fork")


def make_many(folder: Path, name: str, start: "multiprocessing.Event") -> None:
    start.wait(30)
    won = [number for number in range(50) if make_once(folder / str(number), {name: name})]
    (folder / f"{name}.txt").write_text(" ".join(map(str, won)))


def test_a_folder_is_made_by_one_of_many_processes_and_is_complete(tmp_path):
    start = FORK.Event()
    names = ["a", "b", "c", "d"]
    processes = [FORK.Process(target=make_many, args=(tmp_path, name, start)) for name in names]
    for each in processes:
        each.start()
    start.set()
    for each in processes:
        each.join(30)
    won = {name: (tmp_path / f"{name}.txt").read_text().split() for name in names}
    assert sorted(number for each in won.values() for number in each) == sorted(map(str, range(50)))
    for name, numbers in won.items():
        for number in numbers:
            assert [path.name for path in (tmp_path / number).iterdir()] == [name]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_existing_folder_stays_as_it_is(tmp_path):
    assert make_once(tmp_path / "x", {"a": "1"})
    assert not make_once(tmp_path / "x", {"a": "2"})
    assert (tmp_path / "x" / "a").read_text() == "1"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFileError, match="cannot be made") as caught:
        make_once(tmp_path / "file" / "x", {"a": ""})
    assert "\n" not in str(caught.value)


def test_a_file_is_renamed_once(tmp_path):
    (tmp_path / "a").write_text("")
    assert rename_once(tmp_path / "a", tmp_path / "b")
    assert not rename_once(tmp_path / "a", tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_answer_that_was_lost_counts_as_success(tmp_path):
    (tmp_path / "mine").write_text("")
    assert rename_once(tmp_path / "a", tmp_path / "mine")
