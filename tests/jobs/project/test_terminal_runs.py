"""Tests of jobs/project/terminal_runs.py and inbox.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from icelens.jobs.lock import holder, locked_folder
from icelens.jobs.project.inbox import QUEUED_VARIABLE, announce, notes
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.terminal_runs import interrupt, take_in, take_in_all

STARTED = "2026-01-01T00:00:00+00:00"


def left(folder: Path, **values: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"job": "restore.mask", "state": "done", "started": STARTED,
               "config": {"star": "x.star", "output": folder.name},
               "working_directory": str(folder.parent), **values}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(autouse=True)
def _from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(QUEUED_VARIABLE, raising=False)


def test_a_note_is_left_for_the_project_the_folder_lies_in(project: Project) -> None:
    announce(project.folder / "masks")
    assert [folder.name for _, folder in notes(project)] == ["masks"]


def test_a_note_is_left_for_the_project_one_stands_in(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    announce(tmp_path / "elsewhere")
    assert len(notes(project)) == 1


def test_the_queue_knows_its_own_jobs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUEUED_VARIABLE, "J7")
    announce(project.folder / "masks")
    assert notes(project) == []


def test_a_project_that_cannot_be_written_does_no_harm_to_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("icelens.jobs.project.inbox.atomic_path", full)
    announce(project.folder / "masks")
    assert notes(project) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"folder": 3}', "null"])
def test_damaged_notes_are_dropped(project: Project, content: str) -> None:
    path = project.hidden / "inbox" / "note.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert notes(project) == []
    assert not path.exists()


def test_a_run_is_taken_in_once_and_kept_up_to_date(project: Project) -> None:
    folder = left(project.folder / "masks", state="running")
    queue, number = Queue(project), take_in(project, folder)
    assert number is not None
    assert queue.get(number).settings["star"] == "x.star"
    left(folder, started="2026-01-02T00:00:00+00:00", state="failed", cause="x.star: no such file")
    assert take_in(project, folder) == number
    assert queue.get(number).state == "failed"
    assert queue.get(number).remedy


def test_what_is_no_run_is_passed_over(project: Project) -> None:
    assert take_in(project, project.folder / "nowhere") is None
    (project.folder / "run.json").write_text('{"config": {}, "job": 3}')
    assert take_in(project, project.folder) is None


def test_a_job_of_a_package_that_is_not_here_is_listed_all_the_same(project: Project) -> None:
    number = take_in(project, left(project.folder / "x", job="other.thing", config={"a": 1}))
    assert number is not None
    entry = Queue(project).get(number)
    assert (entry.job, entry.state, entry.title) == ("other.thing", "done", "other thing")


def test_runs_are_found_some_folders_deep_but_not_those_of_the_trash(project: Project) -> None:
    left(project.folder / "a")
    left(project.folder / "b" / "c")
    left(project.hidden / "trash" / "0001")
    assert take_in_all(project) == 2


def test_a_run_of_a_terminal_here_is_stopped_as_by_ctrl_c(project: Project) -> None:
    folder = project.folder / "run"
    folder.mkdir()
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom icelens.jobs.lock import locked_folder\n"
        "with locked_folder(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n    time.sleep(30)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert holder(folder) == process.pid
    assert interrupt(folder)
    _, said = process.communicate(timeout=10)
    assert b"KeyboardInterrupt" in said
    assert holder(folder) is None
    assert not interrupt(folder)


def test_a_folder_that_a_process_of_another_kind_holds_is_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locked_folder(project.folder / "run"):
        (project.folder / "run" / ".lock").write_text("1")  # some process that is not ours
        assert not interrupt(project.folder / "run")
