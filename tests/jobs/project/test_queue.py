"""Tests of jobs/project/queue.py."""

from pathlib import Path

import pytest

from icelens.jobs.config import ConfigError
from icelens.jobs.project import changes
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.listing import UnknownEntryError
from icelens.jobs.project.project import create_project
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.trash import StateError
from icelens.jobs.registry import UnknownJobError

SIMULATE = "simulate.tomograms"


def end(queue: Queue, number: int, state: State) -> None:
    with queue.project.connection(is_write=True) as connection:
        changes.update(connection, number, {"state": state})


def submitted(queue: Queue, **options: object) -> Entry:
    return queue.submit(SIMULATE, {}, **options)  # type: ignore[arg-type]


def test_a_job_gets_a_number_and_a_folder_of_its_own(queue: Queue) -> None:
    first, second = submitted(queue), submitted(queue)
    assert (first.number, second.number) == (1, 2)
    assert first.folder == "jobs/0001-simulate-tomograms"
    assert first.settings["output"] == first.folder
    assert first.state == "queued"


def test_wrong_settings_leave_nothing_in_the_queue(queue: Queue) -> None:
    with pytest.raises(ConfigError, match="--pixel-size") as caught:
        queue.submit(SIMULATE, {"pixel_size": -1, "count": "many"})
    assert "--count" in str(caught.value)
    assert queue.entries() == []


def test_unknown_jobs_and_numbers_are_named(queue: Queue) -> None:
    with pytest.raises(UnknownJobError, match="no such job"):
        queue.submit("restore.everything", {})
    with pytest.raises(UnknownEntryError, match="J99: no such job"):
        submitted(queue, after=[99])
    with pytest.raises(UnknownEntryError):
        queue.get(10**30)


def test_a_draft_may_be_wrong_until_it_is_started(queue: Queue) -> None:
    draft = queue.submit(SIMULATE, {"pixel_size": -1}, is_draft=True)
    with pytest.raises(ConfigError):
        queue.start(draft.number)
    assert queue.get(draft.number).state == "draft"
    queue.edit(draft.number, settings={"pixel_size": 20})
    assert queue.start(draft.number).state == "queued"
    with pytest.raises(StateError, match="not a draft"):
        queue.start(draft.number)


def test_a_job_waits_for_the_one_whose_folder_it_reads(queue: Queue) -> None:
    first = submitted(queue)
    second = queue.submit(
        "restore.prepare", {"full": f"{first.folder}/full", "star": "tomograms.star"}
    )
    assert second.state == "waiting"
    assert second.after == (first.number,)


def test_a_job_waits_for_the_one_that_names_a_file_which_is_not_there_yet(queue: Queue) -> None:
    prepare = queue.submit("restore.prepare", {"full": "data", "star": "tomograms.star"})
    masks = [queue.submit("restore.mask", {"star": "tomograms.star"}) for _ in range(2)]
    assert [mask.after for mask in masks] == [(prepare.number,)] * 2
    Path(queue.project.folder / "tomograms.star").touch()
    assert queue.submit("restore.mask", {"star": "tomograms.star"}).after == ()


def test_a_finished_job_is_not_waited_for(queue: Queue) -> None:
    first = submitted(queue)
    end(queue, first.number, "done")
    second = queue.submit("restore.prepare", {"full": f"{first.folder}/full", "star": "x.star"})
    assert second.state == "queued"


def test_a_queued_job_is_stopped_at_once_and_a_running_one_is_asked(queue: Queue) -> None:
    queued, running = submitted(queue), submitted(queue)
    assert queue.cancel(queued.number).state == "stopped"
    with queue.project.connection(is_write=True) as connection:
        changes.update(connection, running.number, {"state": "running", "attempt": 3})
    assert queue.cancel(running.number).is_cancelling
    assert (queue.project.control(running.number) / "cancel-3").exists()
    end(queue, running.number, "done")
    with pytest.raises(StateError, match="nothing to stop"):
        queue.cancel(running.number)


def test_only_what_ended_is_resumed(queue: Queue) -> None:
    entry = submitted(queue)
    with pytest.raises(StateError, match="only a job that ended"):
        queue.resume(entry.number)
    end(queue, entry.number, "failed")
    assert queue.resume(entry.number).state == "queued"


def test_a_clone_is_a_draft_that_writes_elsewhere(queue: Queue) -> None:
    entry = queue.submit(SIMULATE, {"count": 2, "pixel_size": 20}, title="two of them")
    clone = queue.clone(entry.number, {"count": 3})
    assert clone.state == "draft"
    assert clone.title == "two of them (copy)"
    assert dict(clone.settings) == {"count": 3, "pixel_size": 20}
    assert queue.start(clone.number).folder != entry.folder


def test_what_has_begun_is_not_edited_but_may_be_renamed(queue: Queue) -> None:
    entry = submitted(queue)
    end(queue, entry.number, "running")
    with pytest.raises(StateError, match="has begun"):
        queue.edit(entry.number, settings={"count": 2})
    assert queue.edit(entry.number, title="  a \n name ").title == "a name"


def test_jobs_are_found_by_text_state_and_task(queue: Queue) -> None:
    submitted(queue, title="100% of_it")
    queue.submit("restore.mask", {"star": "x.star"})
    assert [entry.number for entry in queue.entries(text="100%")] == [1]
    assert [entry.number for entry in queue.entries(text="f_i")] == [1]
    assert queue.entries(text="f%i") == []
    assert [entry.number for entry in queue.entries(task="restore")] == [2]
    assert [entry.number for entry in queue.entries(text="J2")] == [2]
    assert queue.counts()["queued"] == 2
    assert [entry.number for entry in queue.entries(limit=1, offset=1)] == [1]


def test_changes_are_told_by_number_and_only_once(queue: Queue) -> None:
    revision, _ = queue.changed_since(-1)
    entry = submitted(queue)
    latest, numbers = queue.changed_since(revision)
    assert numbers == [entry.number]
    assert queue.changed_since(latest) == (latest, [])


def test_a_project_that_moved_is_the_same(queue: Queue, tmp_path: Path) -> None:
    entry = submitted(queue)
    moved = tmp_path / "elsewhere"
    queue.project.folder.rename(moved)
    again = Queue(create_project(moved))
    assert again.project.identity == queue.project.identity
    assert again.get(entry.number) == entry
