"""A project with a lane, submissions to it, and commands that print what schedulers print."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from icelens.jobs.project.cluster.folders import add_lane
from icelens.jobs.project.cluster.lane import ClusterLane, read_lane
from icelens.jobs.project.cluster.script import Submission


@pytest.fixture(autouse=True)
def _no_lanes_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("ICELENS_LANES", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def lane_of(project: Path) -> Callable[[str], ClusterLane]:
    def make(kind: str) -> ClusterLane:
        folder = project / "lanes" / kind
        return read_lane(folder if folder.exists() else add_lane(project, kind))

    return make


@pytest.fixture
def submission_of(project: Path) -> Callable[..., Submission]:
    def make(**values: Any) -> Submission:
        folder = ".icelens/control/0007"
        command = (sys.executable, "-m", "supervisor", str(project / folder), "1")
        usual = {
            "number": 7, "attempt": 1, "title": "denoise", "identity": "ab12cd34ef56",
            "project": project, "folder": folder, "command": command,
        }  # fmt: skip
        return Submission(**(usual | values))

    return make


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a command on the PATH that prints something; the file it returns holds its words."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, out: str = "", *, err: str = "", code: int = 0) -> Path:
        told = tmp_path / f"{name}.words"
        (tmp_path / f"{name}.out").write_text(out, encoding="utf-8")
        (tmp_path / f"{name}.err").write_text(err, encoding="utf-8")
        path = folder / name
        path.write_text(
            f'#!/bin/bash\nprintf "%s\\n" "$@" > "{told}"\ncat > "{told}.stdin"\n'
            f'cat "{tmp_path}/{name}.out"\ncat "{tmp_path}/{name}.err" >&2\nexit {code}\n',
            encoding="utf-8",
        )
        path.chmod(0o755)
        return told

    return make
