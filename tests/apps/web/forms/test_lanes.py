"""Tests of apps/web/forms/lanes.py."""

from pathlib import Path

import pytest

from icelens.apps.web.forms.lanes import check_lane, is_cluster, lanes_for_parts, lanes_of
from icelens.jobs.project import lanes as local
from icelens.jobs.project.cluster.folders import add_lane
from icelens.jobs.project.project import Project, create_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(local, "gpu_names", lambda: ("A", "B"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("ICELENS_LANES", raising=False)
    return create_project(tmp_path / "project")


def test_lanes_of_the_machine_come_first_and_a_gpu_is_usual(project: Project) -> None:
    add_lane(project.folder, "slurm")
    found, problems = lanes_of(project)
    assert [(each.name, each.kind) for each in found] == [
        ("cpu", "cpu"), ("gpu-0", "gpu"), ("gpu-1", "gpu"), ("slurm", "cluster"),
    ]  # fmt: skip
    assert [each.name for each in found if each.is_default] == ["gpu-0"]
    assert "time" in {variable.name for variable in found[-1].variables}
    assert problems == []


def test_a_lane_that_cannot_be_read_is_told(project: Project) -> None:
    folder = project.folder / "lanes" / "odd"
    folder.mkdir(parents=True)
    (folder / "lane.yaml").write_text("name: odd\n")
    found, problems = lanes_of(project)
    assert len(found) == 3
    assert len(problems) == 1


def test_unknown_lanes_and_variables_are_problems(project: Project) -> None:
    add_lane(project.folder, "slurm")
    assert check_lane(project, "", {}, 1) == []
    assert check_lane(project, "gpu-1", {}, 1) == []
    assert check_lane(project, "gpu-9", {}, 1)[0].field == "lane"
    assert check_lane(project, "slurm", {"time": "1:00:00"}, 4) == []
    assert check_lane(project, "slurm", {"tyme": "1"}, 1)[0].field == "variables"
    assert check_lane(project, "slurm", {}, 100_000)[0].field == "parts"


def test_parts_take_the_gpus_in_turn_or_the_chosen_lane(project: Project) -> None:
    assert lanes_for_parts(project, "", 3) == ["gpu-0", "gpu-1", "gpu-0"]
    assert lanes_for_parts(project, "cpu", 2) == ["cpu", "cpu"]


def test_clusters_are_told_from_lanes_of_the_machine(project: Project) -> None:
    add_lane(project.folder, "slurm")
    assert is_cluster(project, "slurm")
    assert not is_cluster(project, "cpu")
    assert not is_cluster(project, "")
