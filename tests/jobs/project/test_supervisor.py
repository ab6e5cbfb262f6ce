"""Tests of jobs/project/supervisor.py: real processes, each a line of Python."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.project.quick_jobs import write_launch

from icelens.jobs.project.attempt import (
    Attempt,
    attempt_path,
    cancel_path,
    claim,
    process_born,
    read_attempt,
)
from icelens.jobs.project.supervisor import main

STOPS_CLEANLY = """
import signal, sys, time
print('begun', flush=True)
try:
    time.sleep(30)
except KeyboardInterrupt:
    print('stopping', flush=True)
    sys.exit(130)
"""


def started(control: Path, attempt: int = 1) -> "subprocess.Popen[bytes]":
    words = ["-m", "icelens.jobs.project.supervisor", str(control), str(attempt)]
    return subprocess.Popen([sys.executable, *words], start_new_session=True)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_an_attempt_says_how_it_ended_and_keeps_both_streams_apart(tmp_path: Path) -> None:
    write_launch(
        tmp_path, 1, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    )
    assert main([str(tmp_path), "1"]) == 3
    attempt = read_attempt(attempt_path(tmp_path, 1))
    assert attempt is not None
    assert (attempt.exit_code, attempt.is_cancelled) == (3, False)
    assert (tmp_path / "out.txt").read_text() == "out\n"
    assert (tmp_path / "err.txt").read_text() == "err\n"


def test_an_attempt_that_another_took_is_left_alone(tmp_path: Path) -> None:
    write_launch(tmp_path, 1, "open('ran', 'w')")
    assert claim(attempt_path(tmp_path, 1), Attempt(host="elsewhere"))
    assert main([str(tmp_path), "1"]) == 0
    assert not (tmp_path / "ran").exists()
    assert read_attempt(attempt_path(tmp_path, 1)) == Attempt(host="elsewhere")


def test_a_task_of_an_array_gets_its_own_words_and_files(tmp_path: Path) -> None:
    write_launch(tmp_path, 1, "import sys; print(sys.argv[1:])")
    assert main([str(tmp_path), "1", "2"]) == 0
    assert (tmp_path / "out-2.txt").read_text() == "['second']\n"
    assert read_attempt(attempt_path(tmp_path, 1, 2)) is not None


def test_a_job_that_is_asked_to_stop_stops_cleanly(tmp_path: Path) -> None:
    write_launch(tmp_path, 1, STOPS_CLEANLY)
    process = started(tmp_path)
    until(lambda: (tmp_path / "out.txt").exists() and (tmp_path / "out.txt").read_text())
    cancel_path(tmp_path, 1).touch()
    process.wait(10)
    attempt = read_attempt(attempt_path(tmp_path, 1))
    assert attempt is not None
    assert (attempt.exit_code, attempt.is_cancelled) == (130, True)
    assert "stopping" in (tmp_path / "out.txt").read_text()


def test_a_job_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icelens.jobs.project.supervisor.GRACE_SECONDS", 0.3)
    ignores = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(30)"
    write_launch(tmp_path, 1, ignores)
    cancel_path(tmp_path, 1).touch()
    assert main([str(tmp_path), "1"]) == -signal.SIGKILL


def test_a_scheduler_that_ends_the_supervisor_ends_the_job_cleanly(tmp_path: Path) -> None:
    write_launch(tmp_path, 1, STOPS_CLEANLY)
    process = started(tmp_path)
    until(lambda: (tmp_path / "out.txt").exists() and (tmp_path / "out.txt").read_text())
    process.terminate()
    assert process.wait(10) == 130


def test_a_job_whose_supervisor_is_killed_does_not_run_on_unwatched(tmp_path: Path) -> None:
    write_launch(tmp_path, 1, STOPS_CLEANLY)
    process = started(tmp_path)
    until(lambda: (tmp_path / "out.txt").exists() and (tmp_path / "out.txt").read_text())
    process.kill()
    process.wait(10)
    until(lambda: "stopping" in (tmp_path / "out.txt").read_text())


def test_a_program_that_cannot_be_started_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    assert main([str(tmp_path), "1"]) == 2
    assert "could not be started" in (tmp_path / "err.txt").read_text()


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    assert process_born(os.getpid())
    assert process_born(2**22 + 1) == ""
