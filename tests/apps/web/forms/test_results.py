"""Tests of apps/web/forms/results.py."""

import json
from pathlib import Path

import pytest

from icelens.apps.web.forms.results import outputs_of, results_for
from icelens.jobs.project import changes
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = create_project(tmp_path)
    monkeypatch.chdir(made.folder)
    return made


def _finish(project: Project, number: int, state: str = "done") -> None:
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, {"state": state})


def test_results_of_queued_jobs_are_offered_before_they_exist(project: Project) -> None:
    queue = Queue(project)
    queue.submit("restore.prepare", {"star": "list.star", "full": "."})
    queue.submit("restore.refine", {"star": "list.star"}, title="first")
    lists = results_for(queue, ("tomograms",))
    assert [(each.path, each.number, each.exists) for each in lists] == [("list.star", 1, False)]
    assert results_for(queue, ("restorer",))[0].path == "jobs/0002-restore-refine"
    assert results_for(queue, ("picker",)) == []


def test_a_job_that_ended_offers_only_what_is_there(project: Project) -> None:
    queue = Queue(project)
    queue.submit("restore.prepare", {"star": "list.star", "full": "."})
    _finish(project, 1)
    assert results_for(queue, ("tomograms",)) == []
    (project.folder / "list.star").touch()
    assert results_for(queue, ("tomograms",))[0].exists


def test_what_a_record_names_is_offered(project: Project) -> None:
    queue = Queue(project)
    entry = queue.submit("tools.fsc", {"map_1": "a.mrc", "map_2": "b.mrc"})
    folder = project.absolute(entry.folder)
    folder.mkdir(parents=True)
    (folder / "map.mrc").touch()
    outputs = [{"path": "map.mrc", "kind": "volume"}, {"path": 3, "kind": "volume"}, "odd"]
    (folder / "run.json").write_text(json.dumps({"config": {}, "outputs": outputs}))
    _finish(project, 1)
    found = results_for(queue, ("volume",), only=1)
    assert [each.path for each in found] == ["jobs/0001-tools-fsc/map.mrc"]


@pytest.mark.parametrize("text", ["", "[]", '{"outputs": 3}', "{", "\udcff"])
def test_a_damaged_record_names_nothing(project: Project, text: str) -> None:
    entry = Queue(project).submit("tools.fsc", {"map_1": "a.mrc", "map_2": "b.mrc"})
    folder = project.absolute(entry.folder)
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert list(outputs_of(project, entry)) == []
