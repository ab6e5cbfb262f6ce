"""Tests of apps/web/forms/checking.py."""

from pathlib import Path

import pytest

from icelens.apps.web.forms.checking import Checked, check
from icelens.apps.web.forms.values import Typed
from icelens.apps.web.roots import Roots
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import find_job


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = create_project(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


def _check(project: Project, job: str, values: dict[str, Typed]) -> Checked:
    roots = Roots.of(project.folder)
    return check(find_job(job), values, project=project, roots=roots, folder="jobs/0001-x")


def test_all_mistakes_are_told_at_once_each_at_its_field(project: Project) -> None:
    values: dict[str, Typed] = {
        "epochs": "many",
        "box_size": "17",
        "contrast": "grey",
        "loss": "l2",
    }
    found = _check(project, "restore.refine", values)
    told = {problem.field: problem.message for problem in found.problems}
    assert set(told) == {"star", "epochs", "box_size", "contrast"}
    assert told["star"] == "is needed"
    assert told["epochs"] == "found 'many', expected a whole number"
    assert found.config is None
    assert found.command == ""


def test_a_whole_form_gives_the_command_and_only_what_differs(project: Project) -> None:
    found = _check(project, "restore.refine", {"star": "a b.star", "epochs": "50", "seed": "3"})
    assert found.problems == ()
    assert found.settings == {"star": "a b.star", "seed": 3}
    assert found.command == (
        "icelens restore refine --seed 3 --star 'a b.star' --output jobs/0001-x"
    )


def test_a_path_that_is_not_there_is_a_warning(project: Project) -> None:
    found = _check(project, "restore.refine", {"star": "none.star"})
    assert [(w.field, w.message) for w in found.warnings] == [("star", "none.star does not exist")]


def test_what_a_queued_job_will_write_is_told(project: Project) -> None:
    Queue(project).submit("restore.prepare", {"star": "list.star", "full": "."})
    found = _check(project, "restore.refine", {"star": "list.star"})
    assert found.warnings[0].message == "list.star does not exist yet; J1 will write it"
    found = _check(
        project, "restore.predict", {"star": "a", "checkpoint": "jobs/0001-restore-prepare"}
    )
    assert found.warnings[1].message.endswith("does not exist yet; J1 will write it")


def test_a_job_that_ended_or_reads_a_path_will_not_write_it(project: Project) -> None:
    queue = Queue(project)
    queue.submit("restore.mask", {"star": "list.star"})
    found = _check(project, "restore.refine", {"star": "list.star"})
    assert found.warnings[0].message == "list.star does not exist"
    queue.submit("restore.prepare", {"star": "list.star", "full": "."})
    queue.cancel(2)
    found = _check(project, "restore.refine", {"star": "list.star"})
    assert found.warnings[0].message == (
        "list.star does not exist; J2, which was to write it, was stopped"
    )


def test_what_the_job_writes_need_not_exist(project: Project) -> None:
    found = _check(project, "restore.prepare", {"star": "new.star", "full": "."})
    assert found.warnings == ()


def test_paths_in_the_project_are_kept_relative(project: Project) -> None:
    (project.folder / "a.star").touch()
    found = _check(project, "restore.refine", {"star": str(project.folder / "a.star")})
    assert found.settings["star"] == "a.star"


@pytest.mark.parametrize("text", ["/etc/passwd", "../../x.star", "link/x.star", "a\0b"])
def test_inputs_outside_the_roots_are_refused_at_their_field(project: Project, text: str) -> None:
    (project.folder / "link").symlink_to("/etc")
    found = _check(project, "restore.refine", {"star": text})
    assert [problem.field for problem in found.problems] == ["star"]
    assert found.problems[0].is_final


def test_outputs_outside_the_roots_are_refused_at_their_field(project: Project) -> None:
    found = _check(project, "restore.refine", {"star": "a.star", "output": "/tmp/elsewhere"})
    assert [problem.field for problem in found.problems] == ["output"]


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("trials.log", True),
        ("../trials.log", False),
        ("sqlite:////etc/trials.db", False),
        ("sqlite:///trials.db", True),
        ("sqlite+pysqlite:////etc/trials.db?x=1", False),
        ("postgresql://user@host/name", True),
    ],
)
def test_a_store_of_trials_may_not_lie_outside(
    project: Project, text: str, *, is_fine: bool
) -> None:
    found = _check(project, "pick.search", {"project": ["."], "storage": text})
    assert ("storage" not in {problem.field for problem in found.problems}) == is_fine


def test_the_beginning_of_a_name_is_no_path(project: Project) -> None:
    values: dict[str, Typed] = {"star": "a.star", "checkpoint": "run", "prefix": "../../x"}
    found = _check(project, "restore.predict", values)
    assert [problem.field for problem in found.problems] == ["prefix"]


def test_a_mistake_of_several_settings_stands_at_the_first_it_names(project: Project) -> None:
    found = _check(project, "hetero.traverse", {"run": "r", "mode": "direct"})
    assert [problem.field for problem in found.problems] == ["anchors"]
    assert "expected two or more" in found.problems[0].message
