"""Tests of apps/jobs: the queue on the command line, without a process that starts jobs."""

import json
from pathlib import Path

import pytest

from icelens.apps import cli
from icelens.apps.jobs import acting, looking, submitting
from icelens.jobs.project import changes
from icelens.jobs.project.project import Project, open_project
from icelens.jobs.project.queue import Queue


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    folder = tmp_path / "my project"
    for module in (acting, looking, submitting):
        monkeypatch.setattr(module, "ensure_dispatcher", lambda project: None)
    assert cli.main(["jobs", "init", str(folder)]) == 0
    monkeypatch.chdir(folder)
    return Queue(open_project(folder))


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.main(["jobs", *words]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def end(project: Project, number: int, state: str) -> None:
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, {"state": state})


def test_submitted_jobs_are_listed_and_shown(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(
        capsys, "submit", "--title", "small ones", "--priority", "2", "simulate", "tomograms",
        "--count", "3", "--pixel-size", "20",
    )  # fmt: skip
    assert text.startswith("J1 small ones: queued; folder jobs/0001-simulate-tomograms")
    assert "small ones" in said(capsys, "list")
    shown = said(capsys, "show", "J1")
    assert "count: 3" in shown
    assert "queued" in shown
    assert json.loads(said(capsys, "show", "1", "--json"))["priority"] == 2
    assert json.loads(said(capsys, "list", "--json"))[0]["number"] == 1


def test_paths_typed_in_a_folder_of_the_project_are_kept_from_the_project(
    queue: Queue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    below = queue.project.folder / "lists"
    below.mkdir()
    monkeypatch.chdir(below)
    said(capsys, "submit", "restore", "mask", "--star", "tomograms.star")
    assert queue.get(1).settings["star"] == "lists/tomograms.star"


def test_a_share_for_each_lane_lies_in_the_folder_of_the_first(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(
        capsys, "submit", "--lane", "cpu,cpu", "restore", "mask", "--star", "tomograms.star"
    )
    assert len(text.splitlines()) == 2
    assert [queue.get(number).settings["tomograms"] for number in (1, 2)] == ["1/2", "2/2"]
    assert queue.get(2).folder == "jobs/0001-restore-mask/part_2"
    assert queue.get(2).state == "queued"  # it does not wait for its sister
    text = said(
        capsys, "submit", "--lane", "cpu,cpu", "simulate", "tomograms", code=2
    )  # fmt: skip
    assert "cannot be shared" in text
    assert len(queue.entries()) == 2


def test_jobs_are_stopped_resumed_cloned_and_removed(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "submit", "simulate", "tomograms", "--count", "3")
    assert said(capsys, "cancel", "1") == "J1 simulate tomograms: stopped\n"
    assert said(capsys, "resume", "J1") == "J1 simulate tomograms: queued\n"
    end(queue.project, 1, "done")
    assert "draft" in said(capsys, "clone", "1", "--count", "5")
    assert queue.get(2).settings["count"] == "5"
    said(capsys, "start", "2")
    said(capsys, "cancel", "2")
    assert "in the trash" in said(capsys, "remove", "1,2")
    assert said(capsys, "list") == ""
    said(capsys, "restore", "2")
    assert said(capsys, "empty-trash") == "deleted 1 job(s)\n"


def test_one_job_that_cannot_be_stopped_does_not_keep_the_others_running(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        said(capsys, "submit", "simulate", "tomograms")
    end(queue.project, 1, "done")
    assert "J1: is done; there is nothing to stop" in said(capsys, "cancel", "1", "2", code=2)
    assert queue.get(2).state == "stopped"


def test_wait_says_whether_all_is_well(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        said(capsys, "submit", "simulate", "tomograms")
    assert "the time is over" in said(capsys, "wait", "--timeout", "0", code=2)
    end(queue.project, 1, "done")
    assert "J1 simulate tomograms: done" in said(capsys, "wait", "1")
    with queue.project.connection(is_write=True) as connection:
        changes.update(connection, 2, {"state": "failed", "cause": "x.mrc: is empty"})
    assert "J2: x.mrc: is empty" in said(capsys, "wait", "1", "2", code=2)


def test_the_first_difference_comes_first(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    for count in ("2", "3"):
        said(capsys, "submit", "simulate", "tomograms", "--count", count)
    assert said(capsys, "diff", "1", "2").startswith("first difference: count: 2 | 3")
    assert "two jobs or more" in said(capsys, "diff", "1", code=2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sumbit"], "did you mean submit"),
        (["show", "seven"], "expected the number of a job"),
        (["show", "99"], "J99: no such job"),
        (["submit"], "expected a job"),
        (["submit", "restore", "everything"], "no such job"),
        (["submit", "restore", "mask"], "--star is missing"),
        (["submit", "--set", "time", "restore", "mask", "--star", "x"], "expected NAME=VALUE"),
        (["list", "--state", "lost"], "invalid choice"),
        (["list", "--nonsense"], "unrecognized arguments"),
        (["cancel", "1", "--project", "nowhere"], "is no project"),
    ],
)
def test_mistakes_are_one_line(
    queue: Queue, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    text = said(capsys, *words, code=2)
    assert message in text
    assert len(text.splitlines()) == 1


def test_outside_a_project_one_is_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "icelens jobs init" in said(capsys, "list", code=2)


def test_a_project_takes_in_the_runs_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "old" / "masks"
    folder.mkdir(parents=True)
    record = {"job": "restore.mask", "state": "done", "config": {"star": "x.star"}}
    record |= {"started": "2026-01-01T00:00:00+00:00", "working_directory": str(tmp_path / "old")}
    (folder / "run.json").write_text(json.dumps(record))
    assert "took in 1 earlier run(s)" in said(capsys, "init", str(tmp_path / "old"))
    assert "took in 1" in said(capsys, "init", str(tmp_path / "old"))  # the same, not once more
    assert len(Queue(open_project(tmp_path / "old")).entries()) == 1


def test_lanes_of_clusters_are_made_and_listed(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "lanes").startswith("cpu")
    assert "edit lane.yaml" in said(capsys, "lanes", "--add", "slurm", "--name", "big")
    assert "big" in said(capsys, "lanes")
