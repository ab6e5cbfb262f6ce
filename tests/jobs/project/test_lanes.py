"""Tests of jobs/project/lanes.py."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs.project import lanes
from icelens.jobs.project.lanes import LANES_NAME, default_lane, local_lanes
from icelens.jobs.project.project import Project


@pytest.fixture(autouse=True)
def _not_asked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_gpus", [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def put_driver(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A program in the place of NVIDIA's."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_each_gpu_is_a_lane_whose_jobs_see_it_alone(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_driver(tmp_path, monkeypatch, "echo NVIDIA A; echo NVIDIA B")
    found = local_lanes(project)
    assert list(found) == ["cpu", "gpu-0", "gpu-1"]
    assert found["gpu-1"].title == "NVIDIA B"
    assert found["gpu-1"].environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert found["cpu"].environment["CUDA_VISIBLE_DEVICES"] == ""
    assert default_lane(found) == "gpu-0"


@pytest.mark.parametrize("body", ["exit 9", "echo Failed >&2; exit 1", "exec /no/such/program"])
def test_a_driver_that_does_not_answer_gives_the_cpu_alone(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    put_driver(tmp_path, monkeypatch, body)
    assert list(local_lanes(project)) == ["cpu"]
    assert default_lane(local_lanes(project)) == "cpu"


def test_a_machine_whose_gpus_are_hidden_has_none(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_driver(tmp_path, monkeypatch, "echo NVIDIA A")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert list(local_lanes(project)) == ["cpu"]


def test_a_lane_takes_as_many_as_the_file_says(project: Project) -> None:
    assert local_lanes(project)["cpu"].slots == 1
    (project.folder / LANES_NAME).write_text("cpu: 3\n")
    assert local_lanes(project)["cpu"].slots == 3


@pytest.mark.parametrize("text", ["cpu: many", "cpu: 0", "- cpu", "cpu: true", "{", "cpu: 1e9"])
def test_a_file_that_says_something_else_is_named(project: Project, text: str) -> None:
    (project.folder / LANES_NAME).write_text(text)
    with pytest.raises(InputFileError, match=r"lanes\.yaml: .*`cpu: 2`"):
        local_lanes(project)
