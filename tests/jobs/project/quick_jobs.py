"""Jobs for tests of the queue that are a line of Python instead of an icelens command."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from icelens.jobs.project import dispatcher
from icelens.jobs.project.attempt import cancel_path, launch_path
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.project import Project, open_project

WRITE = "import time; time.sleep(0.2); open({path!r}, 'a').write('ran\\n')"


def prepare(project: Project, entry: Entry, attempt: int, environment: Mapping[str, str]) -> Path:
    """In place of `launch.prepare`: the title is the program."""
    control = project.control(entry.number)
    control.mkdir(parents=True, exist_ok=True)
    write_launch(control, attempt, entry.title, environment)
    cancel_path(control, attempt).unlink(missing_ok=True)
    return control


def write_launch(
    control: Path, attempt: int, program: str, environment: Mapping[str, str] | None = None
) -> None:
    """What an attempt shall run."""
    content = {
        "command": ["{python}", "-c", program],
        "tasks": [["first"], ["second"]],
        "working_directory": ".",
        "environment": dict(environment or {}),
    }
    launch_path(control, attempt).write_text(json.dumps(content))


if __name__ == "__main__":
    dispatcher.prepare = prepare  # type: ignore[assignment]
    dispatcher.CLAIM_SECONDS = float(os.environ.get("CLAIM_SECONDS", "30"))
    dispatcher.TICK_SECONDS = 0.05
    dispatcher.dispatch_until_idle(open_project(Path(sys.argv[1])), patience=0.5)
