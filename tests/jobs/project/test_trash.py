"""Tests of jobs/project/trash.py."""

import pytest

from icelens.jobs.project import changes
from icelens.jobs.project.listing import UnknownEntryError
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.trash import StateError


def made(queue: Queue) -> int:
    entry = queue.submit("simulate.tomograms", {})
    folder = queue.project.absolute(entry.folder)
    folder.mkdir(parents=True)
    (folder / "result.txt").write_text("result")
    return entry.number


def test_a_removed_job_comes_back_with_its_folder(queue: Queue) -> None:
    number = made(queue)
    folder = queue.project.absolute(queue.get(number).folder)
    removed = queue.remove(number)
    assert removed.removed
    assert not folder.exists()
    assert queue.entries() == []
    assert [entry.number for entry in queue.entries(is_removed=True)] == [number]
    assert queue.restore(number).removed is None
    assert (folder / "result.txt").read_text() == "result"


def test_an_emptied_trash_is_gone_for_good(queue: Queue) -> None:
    kept, number = made(queue), made(queue)
    queue.remove(number)
    assert queue.empty_trash() == 1
    assert queue.empty_trash() == 0
    with pytest.raises(UnknownEntryError):
        queue.get(number)
    assert [entry.number for entry in queue.entries()] == [kept]
    assert made(queue) > number  # numbers are never given again


def test_a_running_job_is_not_removed(queue: Queue) -> None:
    number = made(queue)
    with queue.project.connection(is_write=True) as connection:
        changes.update(connection, number, {"state": "running"})
    with pytest.raises(StateError, match="is running"):
        queue.remove(number)


def test_what_another_job_waits_for_is_not_removed(queue: Queue) -> None:
    number = made(queue)
    other = queue.submit("simulate.tomograms", {}, after=[number])
    with pytest.raises(StateError, match=f"J{other.number} waits"):
        queue.remove(number)


def test_folders_that_the_user_chose_stay_where_they_are(queue: Queue) -> None:
    entry = queue.submit("simulate.tomograms", {"output": "my data"})
    folder = queue.project.absolute("my data")
    folder.mkdir()
    queue.remove(entry.number)
    queue.empty_trash()
    assert folder.exists()
