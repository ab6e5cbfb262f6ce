"""Jobs that are queued and finished while the server is killed again and again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figure import Figure
from icelens.jobs.project.attempt import read_attempt
from icelens.jobs.project.lanes import LANES_NAME
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue

JOBS, KILLS = 50, 100
SETTINGS = {"shape": [16, 16, 16], "pixel_size": 40.0, "count": 1}
LEAST_SECONDS, MOST_SECONDS = 0.5, 6.0
GIVE_UP_SECONDS = 1800


def measure(*, quick: bool) -> list[Figure]:
    """Queue jobs, kill the server at uneven times until all ended, and count what was lost."""
    jobs, kills = (6, 10) if quick else (JOBS, KILLS)
    folder = Path(tempfile.mkdtemp(prefix="icelens-kills-"))
    try:
        return [_survive(create_project(folder), jobs, kills)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _survive(project: Project, jobs: int, kills: int) -> Figure:
    queue, started = Queue(project), time.monotonic()
    (project.folder / LANES_NAME).write_text("cpu: 2\n")
    count = 0
    while time.monotonic() - started < GIVE_UP_SECONDS:
        server = _serve(project)
        # jobs come in while servers come and go, each tenth waits for the one before
        for number in range(
            sum(queue.counts().values()), min(jobs, sum(queue.counts().values()) + 3)
        ):
            queue.submit("simulate.tomograms", SETTINGS, after=[number] if number % 10 == 9 else [])
        span = MOST_SECONDS - LEAST_SECONDS
        time.sleep(LEAST_SECONDS + span * ((count * 0.618) % 1.0))
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        count += 1
        counts = queue.counts()
        if count >= kills and counts["done"] + counts["failed"] + counts["stopped"] >= jobs:
            break
    lost = jobs - queue.counts()["done"]
    wrong = sum(_runs(project, number) != 1 for number in range(1, jobs + 1))
    what = f"jobs lost, failed or run more than once, of {jobs} over {count} kills of the server"
    seconds = f"in {time.monotonic() - started:.0f} s"
    return Figure(what, max(lost, wrong), seconds, "", "0 of 50 over 100")


def _serve(project: Project) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        "-m",
        "icelens.apps.cli",
        "serve",
        str(project.folder),
        "--port",
        "0",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _runs(project: Project, number: int) -> int:
    """How many attempts of a job ran to an exit code, and how many records it left."""
    control = project.control(number)
    attempts = [read_attempt(path) for path in control.glob("attempt-*.json")]
    ended = sum(each is not None and each.exit_code is not None for each in attempts)
    folder = project.absolute(Queue(project).get(number).folder)
    records = len(list(folder.glob("run*.json")))
    record = folder / "run.json"
    is_done = record.exists() and json.loads(record.read_text())["state"] == "done"
    return ended if is_done and records == 1 else -1
