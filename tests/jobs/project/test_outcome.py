"""Tests of jobs/project/outcome.py."""

import os
from pathlib import Path

import pytest

from icelens.jobs.project.attempt import Attempt, process_born
from icelens.jobs.project.outcome import (
    last_error,
    recorded_outcome,
    supervised_outcome,
    tail,
)
from icelens.jobs.record import write_json

BEFORE, THEN, LATER = (f"2026-01-01T00:00:0{second}+00:00" for second in (0, 1, 2))


def record(folder: Path, **values: object) -> None:
    content = {"job": "restore.mask", "config": {}, "started": LATER, "state": "running", **values}
    write_json(folder / "run.json", content)


def ended(code: int, **values: object) -> Attempt:
    return Attempt("host", 1, "1", started=THEN, ended=LATER, exit_code=code, **values)  # type: ignore[arg-type]


def test_success_needs_both_an_exit_code_and_no_other_word(tmp_path: Path) -> None:
    assert supervised_outcome(tmp_path, tmp_path, ended(0)).state == "done"
    record(tmp_path, state="stopped", cause="time limit")
    outcome = supervised_outcome(tmp_path, tmp_path, ended(0))
    assert (outcome.state, outcome.cause) == ("stopped", "time limit")


@pytest.mark.parametrize(
    ("code", "is_cancelled", "state", "cause"),
    [
        (130, False, "stopped", "stopped by the user"),
        (-2, True, "stopped", "stopped by the user"),
        (-9, False, "failed", "killed by the system"),
        (-11, False, "failed", "ended by signal 11"),
        (2, False, "failed", "ended with exit code 2"),
    ],
)
def test_every_other_end_is_told(
    tmp_path: Path, code: int, *, is_cancelled: bool, state: str, cause: str
) -> None:
    outcome = supervised_outcome(tmp_path, tmp_path, ended(code, is_cancelled=is_cancelled))
    assert outcome.state == state
    assert outcome.cause.startswith(cause)
    assert bool(outcome.remedy) == (state == "failed")


def test_the_record_of_an_earlier_attempt_says_nothing_of_this_one(tmp_path: Path) -> None:
    record(tmp_path, started=BEFORE, state="failed", cause="long ago")
    outcome = supervised_outcome(tmp_path, tmp_path, ended(2))
    assert outcome.cause == "ended with exit code 2"


def test_progress_and_heartbeats_come_from_the_record(tmp_path: Path) -> None:
    attempt = Attempt(os.uname().nodename, os.getpid(), process_born(os.getpid()), started=THEN)
    before = supervised_outcome(tmp_path, tmp_path, attempt)
    record(tmp_path, progress={"stage": "steps", "done": 1, "total": 4}, heartbeat=LATER)
    after = supervised_outcome(tmp_path, tmp_path, attempt)
    assert before.state == after.state == "running"
    assert after.progress == {"stage": "steps", "done": 1, "total": 4}
    assert before.beat != after.beat


def test_workers_of_a_shared_folder_are_found_below_it(tmp_path: Path) -> None:
    worker = tmp_path / "workers" / "host-1"
    worker.mkdir(parents=True)
    record(worker, state="failed", cause="no images")
    assert supervised_outcome(tmp_path, tmp_path, ended(2)).cause == "no images"


def test_a_damaged_or_missing_record_is_no_success(tmp_path: Path) -> None:
    assert recorded_outcome(tmp_path, "") is None
    (tmp_path / "run.json").write_text("{half")
    assert recorded_outcome(tmp_path, "") is None


def test_the_cause_is_what_the_command_said_last(tmp_path: Path) -> None:
    path = tmp_path / "err.txt"
    path.write_text("saved x\nicelens: a.mrc: is empty\nicelens: b.mrc: is empty\n")
    assert last_error(path) == "a.mrc: is empty\nb.mrc: is empty"
    path.write_text("Traceback\n  File\nValueError: ?\n\n")
    assert last_error(path) == "ValueError: ?"
    assert last_error(tmp_path / "nowhere") == ""


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"first line\n" + b"x" * 100 + b"\nl\xc3\xa4st \xff line\n")
    assert tail(path, 40) == "läst \ufffd line\n"
