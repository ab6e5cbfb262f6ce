"""A job in short."""

from datetime import UTC, datetime, timedelta

import pytest
from project_jobs import add_job

from icelens.apps.web.job_view.cards import card_of, progress_of, seconds_of
from icelens.apps.web.roots import Roots
from icelens.jobs.project import changes
from icelens.jobs.project.queue import Queue
from icelens.jobs.record import write_json


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds")


def entry_with(project, number, **values):
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, values)
    return Queue(project).get(number)


def running(project, progress, log=""):
    number = add_job(project, state="running")
    (project.folder / f"jobs/{number:04d}/log.txt").write_text(log)
    return entry_with(project, number, progress=progress)


def test_remaining_time_follows_from_the_speed_since_the_stage_began(project):
    progress = {"stage": "training", "done": 25, "total": 100}
    entry = running(project, progress, f"{ago(100)} INFO    training: 100 step(s)\n")
    found = progress_of(Roots.of(project.folder), entry)
    assert found.remaining == pytest.approx(300, rel=0.1)
    assert found.sentence.startswith("training 25 / 100, about")


def test_a_resumed_job_counts_only_what_it_did_since(project):
    progress = {"stage": "training", "done": 75, "total": 100}
    entry = running(project, progress, f"{ago(100)} INFO    training: 100 step(s)\n")
    earlier = {"progress": {"stage": "training", "done": 50, "total": 100}}
    write_json(project.absolute(entry.folder) / "run-1.json", earlier)
    found = progress_of(Roots.of(project.folder), entry)
    assert found.remaining == pytest.approx(100, rel=0.1)


def test_of_many_attempts_the_latest_say_what_was_done_before(project):
    progress = {"stage": "training", "done": 75, "total": 100}
    entry = running(project, progress, f"{ago(100)} INFO    training: 100 step(s)\n")
    for attempt in range(1, 13):
        earlier = {"progress": {"stage": "training", "done": 4 * attempt, "total": 100}}
        write_json(project.absolute(entry.folder) / f"run-{attempt}.json", earlier)
    found = progress_of(Roots.of(project.folder), entry)
    assert found.remaining == pytest.approx(25 * 100 / (75 - 48), rel=0.1)


def test_without_a_log_no_time_is_promised(project):
    entry = running(project, {"stage": "training", "done": 25, "total": 100})
    assert progress_of(Roots.of(project.folder), entry).sentence == "training 25 / 100"


@pytest.mark.parametrize(
    "progress",
    [{"stage": 5}, {"done": "x", "total": 3}, {"done": 1, "total": 0}, {"done": -1, "total": 2}],
)
def test_damaged_progress_counts_as_none(project, progress):
    entry = running(project, progress)
    assert progress_of(Roots.of(project.folder), entry) is None


def test_times_that_are_none_give_no_duration(project):
    number = add_job(project)
    assert seconds_of(entry_with(project, number, started="yesterday", ended="today")) is None


def test_a_card_says_only_the_first_line_of_a_cause(project):
    number = add_job(project, state="failed")
    entry = entry_with(project, number, cause="disk is full\nTraceback ...")
    assert card_of(Roots.of(project.folder), entry).cause == "disk is full"


def test_a_job_that_was_asked_to_stop_is_stopping(project):
    number = add_job(project, state="running")
    entry = entry_with(project, number, is_cancelling=1)
    assert card_of(Roots.of(project.folder), entry).words == "stopping"
