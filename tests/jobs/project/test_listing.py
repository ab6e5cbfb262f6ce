"""What jobs a project has, in any order."""

import pytest

from icelens.jobs.project import changes
from icelens.jobs.project.listing import SORTS
from icelens.jobs.project.project import create_project
from icelens.jobs.project.queue import Queue


@pytest.fixture
def queue(tmp_path):
    return Queue(create_project(tmp_path / "project"))


def add(queue, **values):
    defaults = {"job": "restore.mask", "task": "restore", "title": "t", "state": "done"}
    with queue.project.connection(is_write=True) as connection:
        row = {**defaults, "created": "2026-01-01T00:00:00+00:00", **values}
        return changes.insert(connection, row)


def numbers(entries):
    return [entry.number for entry in entries]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("is_ascending", [False, True])
def test_every_order_lists_all(queue, sort, is_ascending):
    for state in ("draft", "running", "done"):
        add(queue, state=state)
    assert sorted(numbers(queue.entries(sort=sort, is_ascending=is_ascending))) == [1, 2, 3]


def test_the_queue_is_listed_as_it_will_start(queue):
    for values in ({}, {"priority": 5}, {"run_now": 1}, {"priority": 5}):
        add(queue, state="queued", **values)
    assert numbers(queue.entries(sort="queue")) == [3, 2, 4, 1]


def test_durations_are_compared_and_jobs_that_never_began_come_last(queue):
    start = "2026-01-01T00:00:00+00:00"
    add(queue, started=start, ended="2026-01-01T00:00:09+00:00")
    add(queue, state="queued")
    add(queue, started=start, ended="2026-01-01T02:00:00+00:00")
    assert numbers(queue.entries(sort="duration")) == [3, 1, 2]
    assert numbers(queue.entries(sort="duration", is_ascending=True)) == [1, 3, 2]


def test_jobs_are_found_by_their_numbers(queue):
    for _ in range(4):
        add(queue)
    assert numbers(queue.entries(numbers=(2, 4, 99))) == [4, 2]


def test_counts_go_with_the_filter(queue):
    add(queue, title="one")
    add(queue, title="two", state="failed")
    assert queue.count() == 2
    assert queue.count(states=("failed",)) == 1
    assert queue.count(text="one", task="restore") == 1
    assert queue.count(is_removed=True) == 0


def test_those_that_wait_for_a_job_are_known(queue):
    first, second, third = (add(queue) for _ in range(3))
    with queue.project.connection(is_write=True) as connection:
        for number in (second, third):
            changes.set_waits(connection, number, [first])
    queue.remove(third)
    assert numbers(queue.waiting_for(first)) == [second]


def test_lanes_are_counted_by_state(queue):
    for lane, state in (("cpu", "running"), ("cpu", "queued"), ("", "queued"), ("cpu", "done")):
        add(queue, lane=lane, state=state)
    assert queue.lane_counts() == {"cpu": {"running": 1, "queued": 1}, "": {"queued": 1}}


def test_the_latest_of_each_job_is_found(queue):
    for job in ("restore.mask", "restore.mask", "pick.train"):
        add(queue, job=job)
    add(queue, state="failed")
    found = queue.latest_of_each_job()
    assert {job: entry.number for job, entry in found.items()} == {
        "restore.mask": 2,
        "pick.train": 3,
    }
