"""Lanes are found in the project, the user's settings and the site's folders, in this order."""

import shutil
from pathlib import Path

import pytest

from icelens.core.errors import IcelensError
from icelens.jobs.project.cluster.folders import (
    LaneExistsError,
    add_lane,
    find_lanes,
    lane_problems,
    ready_lanes,
)


def test_the_ready_lanes_can_be_added_and_are_found(project: Path) -> None:
    assert set(ready_lanes()) == {"slurm", "pbs", "torque", "lsf"}
    assert find_lanes(project) == {}
    for kind in ready_lanes():
        folder = add_lane(project, kind)
        assert {path.name for path in folder.iterdir()} == {"lane.yaml", "script.sh.j2"}
    assert set(find_lanes(project)) == set(ready_lanes())
    assert lane_problems(project) == []


def test_a_lane_can_be_added_under_a_name_of_its_own(project: Path) -> None:
    add_lane(project, "slurm", "big-nodes")
    lane = find_lanes(project)["big-nodes"]
    assert (lane.name, lane.title, lane.has_arrays, lane.max_tasks) == (
        "big-nodes", "SLURM", True, 1000,
    )  # fmt: skip
    with pytest.raises(LaneExistsError, match="is there already"):
        add_lane(project, "pbs", "big-nodes")


@pytest.mark.parametrize("name", ["../x", "a/b", "", "cpu", "gpu-0", "A", "x" * 99, "a\nb"])
def test_a_bad_name_makes_no_folder(project: Path, name: str) -> None:
    with pytest.raises(IcelensError, match="is no name for a lane"):
        add_lane(project, "slurm", name)
    assert list(project.rglob("*")) == []


def test_an_unknown_kind_is_told_with_those_there_are(project: Path) -> None:
    with pytest.raises(IcelensError, match="there are lsf, pbs, slurm, torque"):
        add_lane(project, "../../etc")


def test_the_projects_lane_comes_before_the_users_and_the_sites(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, user = tmp_path / "site", tmp_path / "settings" / "icelens" / "lanes"
    monkeypatch.setenv("ICELENS_LANES", f"{tmp_path / 'absent'}:{site}")
    ready = add_lane(tmp_path / "ready", "slurm")
    for place in (site, user, project / "lanes"):
        shutil.copytree(ready, place / "slurm")
        assert find_lanes(project)["slurm"].folder == place / "slurm"


def test_a_broken_lane_is_told_and_hides_no_other(project: Path) -> None:
    add_lane(project, "slurm")
    (add_lane(project, "pbs") / "lane.yaml").write_text("name: pbs\n")
    (add_lane(project, "lsf") / "script.sh.j2").unlink()
    assert list(find_lanes(project)) == ["slurm"]
    problems = lane_problems(project)
    assert len(problems) == 2
    assert "lsf: has no script.sh.j2" in problems[0]
    assert "pbs/lane.yaml: title is missing" in problems[1]
    assert not any("\n" in problem for problem in problems)
