"""A project whose jobs are small Python programs, run by the supervisor on a real cluster."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from icelens.jobs.project.attempt import Attempt, attempt_path, launch_path, read_attempt
from icelens.jobs.project.cluster.lane import ClusterLane
from icelens.jobs.project.cluster.script import Submission
from icelens.jobs.project.cluster.states import ClusterState

PATIENCE = 90.0
"""Seconds after which a test gives up; none takes nearly as long."""
CHECKPOINTED = """
import json, pathlib, signal, sys, time
wish = []
if "deaf" in sys.argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGINT, lambda *_: wish.append(1))
    signal.signal(signal.SIGTERM, lambda *_: wish.append(1))
saved = pathlib.Path("checkpoint.json")
step = json.loads(saved.read_text())["step"] if saved.exists() else 0
with open("steps.txt", "a") as told:
    while step < 30:
        step += 1
        saved.with_suffix(".new").write_text(json.dumps({"step": step}))
        saved.with_suffix(".new").rename(saved)
        print(step, file=told, flush=True)
        for _ in range(0 if step < 4 or pathlib.Path("hurry.txt").exists() else 600):
            if not wish:  # goes on for a minute at each step, unless it is asked to stop
                time.sleep(0.1)
        if wish:
            sys.exit(130)
"""
"""Thirty steps, each saved; stops when asked, unless it is deaf; slow unless told to hurry."""


def wait_for(is_so: Callable[[], Any], what: str) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = is_so()
        if answer:
            return answer
        time.sleep(0.2)
    pytest.fail(f"waited in vain for: {what}")


@dataclass
class ClusterProject:
    """The folder and the lane of its jobs."""

    folder: Path
    lane: ClusterLane

    def program(self, text: str) -> None:
        (self.folder / "program.py").write_text(text, encoding="utf-8")

    def control(self, number: int) -> Path:
        return self.folder / ".icelens" / "control" / f"{number:04d}"

    def submission(
        self,
        number: int,
        attempt: int = 1,
        *,
        words: tuple[str, ...] = ("program.py",),
        variables: dict[str, Any] | None = None,
        **values: Any,
    ) -> Submission:
        control = self.control(number)
        control.mkdir(parents=True, exist_ok=True)
        launch = {
            "command": ["{python}", *words],
            "tasks": [[str(task)] for task in range(1, 100)],
            "working_directory": "../../..",
            "environment": {},
        }
        launch_path(control, attempt).write_text(json.dumps(launch), encoding="utf-8")
        supervisor = "icelens.jobs.project.supervisor"
        return Submission(
            number=number,
            attempt=attempt,
            title="it's a test",
            identity=self.folder.parent.name.replace("_", "-"),
            project=self.folder,
            folder=control.relative_to(self.folder).as_posix(),
            command=(sys.executable, "-m", supervisor, str(control), str(attempt)),
            variables={"cpus": 1, "gpus": 0, "memory": "100M", "time": "00:30:00"}
            | (variables or {}),
            **values,
        )

    def state(self, external_id: str) -> ClusterState:
        return self.lane.states([external_id])[external_id]

    def wait_until_gone(self, external_id: str) -> ClusterState:
        def gone() -> ClusterState | None:
            state = self.state(external_id)
            return state if state.is_gone and state.word != "COMPLETING" else None

        state = wait_for(gone, f"the end of {external_id}")
        assert isinstance(state, ClusterState)
        return state

    def wait_for_text(self, name: str, text: str) -> None:
        path = self.folder / name
        wait_for(lambda: path.exists() and text in path.read_text(), f"{text} in {name}")

    def attempt(self, number: int, attempt: int = 1, task: int | None = None) -> Attempt | None:
        return read_attempt(attempt_path(self.control(number), attempt, task))
