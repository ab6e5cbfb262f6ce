"""Tests of jobs/project/launch.py."""

import json
import os
from pathlib import Path

import pytest

from icelens.apps import arguments
from icelens.jobs.project.launch import prepare, reaped, resume_words
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import find_job


def launched(queue: Queue, number: int, attempt: int = 1) -> dict[str, object]:
    control = prepare(queue.project, queue.get(number), attempt, {"A": "b"})
    content: dict[str, object] = json.loads((control / f"launch-{attempt}.json").read_text())
    return content


def test_the_command_is_one_that_could_be_typed(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = queue.submit("simulate.tomograms", {"count": 3, "pixel_size": 20})
    content = launched(queue, entry.number)
    command = content["command"]
    assert isinstance(command, list)
    assert command[:5] == ["{python}", "-m", "icelens.apps.cli", "simulate", "tomograms"]
    monkeypatch.chdir(queue.project.folder)
    request = arguments.parse(find_job(entry.job), command[5:])
    assert request.config.model_dump()["count"] == 3
    assert content["environment"] == {"A": "b", "ICELENS_JOB": entry.name}
    control = queue.project.control(entry.number)
    assert (control / str(content["working_directory"])).resolve() == queue.project.folder


def test_what_was_begun_is_resumed_and_what_failed_at_once_is_begun(tmp_path: Path) -> None:
    assert resume_words(tmp_path, is_resumable=True) == []
    record = {"job": "restore.refine", "config": {}, "state": "failed"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert resume_words(tmp_path, is_resumable=True) == []
    (tmp_path / "last.safetensors").touch()
    assert resume_words(tmp_path, is_resumable=True) == ["--resume"]
    assert resume_words(tmp_path, is_resumable=False) == []


def test_an_earlier_wish_to_stop_does_not_stop_the_next_attempt(queue: Queue) -> None:
    number = queue.submit("simulate.tomograms", {}).number
    control = queue.project.control(number)
    control.mkdir(parents=True)
    (control / "cancel-2").touch()
    launched(queue, number, attempt=2)
    assert not (control / "cancel-2").exists()


def test_tasks_of_an_array_get_their_shares(queue: Queue) -> None:
    settings = {"star": "t.star", "checkpoint": "net"}
    entry = queue.submit("restore.predict", settings, tasks=2)
    assert launched(queue, entry.number)["tasks"] == [
        ["--tomograms", "1/2", "--output", f"{entry.folder}/part_1"],
        ["--tomograms", "2/2", "--output", f"{entry.folder}/part_2"],
    ]


def test_processes_that_ended_are_taken_from_the_table() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], os.environ)
    while reaped([pid]):
        pass
    assert reaped([pid]) == []
