"""Tests of jobs/project/dispatcher.py: real processes, each a line of Python."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jobs.project import quick_jobs

from icelens.jobs.project import changes, dispatcher
from icelens.jobs.project.attempt import Attempt, attempt_path, claim, write_attempt
from icelens.jobs.project.dispatcher import Dispatcher, only_one
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.lanes import LANES_NAME
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue
from icelens.jobs.record import now, write_json


@pytest.fixture(autouse=True)
def _quick_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "prepare", quick_jobs.prepare)


def submitted(queue: Queue, program: str, **options: object) -> int:
    return queue.submit("simulate.tomograms", {}, title=program, **options).number  # type: ignore[arg-type]


def until(queue: Queue, number: int, *states: State, seconds: float = 15.0) -> Entry:
    dispatching, end = Dispatcher(queue.project), time.monotonic() + seconds
    while queue.get(number).state not in states:
        assert time.monotonic() < end, f"still {queue.get(number)}"
        dispatching.tick()
        time.sleep(0.05)
    return queue.get(number)


def running(queue: Queue, number: int, **values: object) -> None:
    """Put a job into the state in which a killed dispatcher left it."""
    values = {"state": "running", "attempt": 1, "launched": time.time(), **values}
    with queue.project.connection(is_write=True) as connection:
        changes.update(connection, number, values)


def test_a_job_that_ends_well_is_done(queue: Queue) -> None:
    entry = until(queue, submitted(queue, "print('hello')"), "done", "failed")
    assert entry.state == "done"
    assert entry.started
    assert entry.ended


def test_a_failure_has_a_cause_and_a_remedy_and_is_never_success(queue: Queue) -> None:
    program = "import sys; print('icelens: x.mrc: no such file', file=sys.stderr); sys.exit(2)"
    entry = until(queue, submitted(queue, program), "done", "failed")
    assert entry.state == "failed"
    assert entry.cause == "x.mrc: no such file"
    assert "Check the path" in entry.remedy


def test_a_job_killed_by_the_system_is_a_failure(queue: Queue) -> None:
    number = submitted(queue, "import os; os.kill(os.getpid(), 9)")
    entry = until(queue, number, "done", "failed", "stopped")
    assert entry.state == "failed"
    assert "memory ran out" in entry.cause


def test_a_job_waits_for_another_and_says_what_holds_it_up(queue: Queue) -> None:
    first = submitted(queue, "raise SystemExit(2)")
    second = submitted(queue, "print('after')", after=[first])
    until(queue, first, "failed")
    Dispatcher(queue.project).tick()
    entry = queue.get(second)
    assert entry.state == "waiting"
    assert entry.cause == f"waits for J{first}, which failed"
    queue.edit(first, title="print('better')")
    queue.resume(first)
    assert until(queue, second, "done").state == "done"


def test_a_lane_takes_as_many_as_it_has_slots_but_run_now_goes_beside(queue: Queue) -> None:
    sleep = "import time; time.sleep(20)"
    numbers = [submitted(queue, sleep) for _ in range(3)]
    numbers.append(submitted(queue, sleep, run_now=True))
    Dispatcher(queue.project).tick()
    assert [queue.get(number).state for number in numbers] == [
        "queued", "queued", "queued", "running",
    ]  # fmt: skip
    (queue.project.folder / LANES_NAME).write_text("cpu: 2\n")
    Dispatcher(queue.project).tick()
    assert queue.counts()["running"] == 2
    for number in numbers:
        queue.cancel(number)
    assert until(queue, numbers[3], "stopped").cause == "stopped by the user"


def test_higher_priority_goes_first(queue: Queue) -> None:
    low, high = submitted(queue, "pass"), submitted(queue, "pass", priority=5)
    Dispatcher(queue.project).tick()
    assert queue.get(high).state == "running"
    assert queue.get(low).state == "queued"
    until(queue, low, "done")


def test_unknown_lanes_are_named(queue: Queue) -> None:
    entry = until(queue, submitted(queue, "pass", lane="moon"), "failed")
    assert "lane moon: no such lane" in entry.cause


def test_a_start_that_never_came_is_queued_again_and_cannot_run_twice(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = submitted(queue, "pass")
    running(queue, number, launched=time.time() - 100)  # killed before it started the process
    dispatching = Dispatcher(queue.project)
    dispatching.look()
    entry = queue.get(number)
    assert (entry.state, entry.attempt) == ("queued", 1)
    control = queue.project.control(number)
    assert not claim(attempt_path(control, 1), Attempt(host="late"))  # too late for attempt 1
    assert until(queue, number, "done").attempt == 2


def test_a_process_that_is_gone_is_found_at_once_on_this_machine(queue: Queue) -> None:
    number = submitted(queue, "pass")
    running(queue, number)
    control = queue.project.control(number)
    control.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    gone = Attempt(os.uname().nodename, process.pid, "123", started=now())
    assert claim(attempt_path(control, 1), gone)
    Dispatcher(queue.project).look()
    assert queue.get(number).state == "failed"
    assert "without a word" in queue.get(number).cause


def test_a_machine_that_fell_silent_is_found_within_a_minute_by_our_clock(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = submitted(queue, "pass")
    running(queue, number)
    control = queue.project.control(number)
    control.mkdir(parents=True)
    path = attempt_path(control, 1)
    # its clock is years behind: only that the beat changes counts
    attempt = Attempt("another machine", 1, "1", started="2001-01-01T00:00:00+00:00")
    assert claim(path, attempt)
    dispatching, clock = Dispatcher(queue.project), time.time()
    monkeypatch.setattr(dispatcher.time, "time", lambda: clock)
    dispatching.look()
    clock += 35
    dispatching.look()
    assert queue.get(number).state == "running"
    write_attempt(path, Attempt(**{**attempt.__dict__, "beat": 1}))
    dispatching.look()
    clock += 35
    dispatching.look()
    assert queue.get(number).state == "running"
    clock += 25
    dispatching.look()
    assert queue.get(number).state == "failed"


def test_a_run_of_the_terminal_comes_into_the_list_and_ends_there(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from icelens.jobs.project.inbox import announce

    monkeypatch.delenv("ICELENS_JOB", raising=False)
    folder = queue.project.folder / "masks"
    folder.mkdir()
    record = {"job": "restore.mask", "state": "running", "started": now(), "heartbeat": now(),
              "config": {"star": "x.star", "output": "masks"}}  # fmt: skip
    write_json(folder / "run.json", record)
    announce(folder)
    dispatching = Dispatcher(queue.project)
    dispatching.look()
    entry = queue.get(1)
    assert (entry.state, entry.origin, entry.folder) == ("running", "command line", "masks")
    write_json(folder / "run.json", {**record, "state": "failed", "cause": "x.star: no such file"})
    dispatching.look()
    assert queue.get(1).state == "failed"
    assert "Check the path" in queue.get(1).remedy


def test_only_one_process_dispatches(project: Project) -> None:
    with only_one(project) as first, only_one(project) as second:
        assert (first, second) == (True, False)
    with only_one(project) as third:
        assert third


def test_nothing_is_lost_or_run_twice_when_dispatchers_are_killed(
    queue: Queue, tmp_path: Path
) -> None:
    numbers = []
    for index in range(6):
        program = quick_jobs.WRITE.format(path=str(tmp_path / f"{index}.txt"))
        numbers.append(submitted(queue, program, after=numbers[-1:] if index % 2 else []))
    (queue.project.folder / LANES_NAME).write_text("cpu: 3\n")
    words = [sys.executable, quick_jobs.__file__, str(queue.project.folder)]
    environment = {**os.environ, "CLAIM_SECONDS": "2"}
    end = time.monotonic() + 60
    count = 0
    while any(queue.get(number).state != "done" for number in numbers):
        assert time.monotonic() < end, [queue.get(number) for number in numbers]
        process = subprocess.Popen(words, env=environment)
        time.sleep(0.35 + 0.1 * (count % 5))
        process.kill()
        process.wait()
        count += 1
    for index in range(6):
        assert (tmp_path / f"{index}.txt").read_text() == "ran\n"
