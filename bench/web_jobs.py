"""How soon the workbench lists 10,000 jobs: the page as board and table, and the list as JSON."""

import os
import statistics
import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from bench.figure import Figure
from icelens.apps.web.access import Access
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import open_workbench
from icelens.jobs.project import changes
from icelens.jobs.project.project import Project

COUNT = 10_000
_STATES = ("done", "done", "done", "failed", "stopped", "queued", "draft")
_JOBS = ("restore.refine", "pick.localize", "pose.infer", "hetero.train", "tools.fsc")
_QUESTIONS = {
    "board": "/jobs?view=board",
    "table": "/jobs?view=table",
    "table, last page": "/jobs?view=table&offset=9900",
    "table by duration": "/jobs?view=table&sort=duration",
    "text filter": "/jobs?view=table&text=of+many+9",
    "/api/jobs": "/api/jobs?limit=100",
    "home": "/",
}


def measure(*, quick: bool) -> list[Figure]:
    """Wall time in the server of each question, the median of some."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        bench = open_workbench(Path(name) / "project")
        _fill(bench.project)
        access = Access(8642)
        host = "http://127.0.0.1:8642"
        with TestClient(create_app(bench, access, dispatches=False), base_url=host) as client:
            client.cookies.set(access.cookie, access.token)
            figures = [
                Figure(
                    f"workbench, {COUNT} jobs, {what}",
                    _milliseconds(client, url, 3 if quick else 9),
                    "ms",
                    "",
                    "<= 200 ms",
                )
                for what, url in _QUESTIONS.items()
            ]
        os.chdir(here)
    return figures


def _fill(project: Project) -> None:
    with project.connection(is_write=True) as connection:
        for i in range(COUNT):
            job, state = _JOBS[i % len(_JOBS)], _STATES[i % len(_STATES)]
            number = changes.insert(
                connection,
                {
                    "job": job,
                    "task": job.partition(".")[0],
                    "title": f"Job {i} of many",
                    "state": state,
                    "settings": {"seed": i},
                    "folder": f"jobs/{i + 1:04d}-{job.replace('.', '-')}",
                    "created": "2026-01-01T00:00:00+00:00",
                    "started": None
                    if state in ("queued", "draft")
                    else "2026-01-01T00:01:00+00:00",
                    "ended": None if state in ("queued", "draft") else "2026-01-01T01:01:00+00:00",
                },
            )
            if state == "queued" and i > 1:
                changes.set_waits(connection, number, [number - 1])


def _milliseconds(client: TestClient, url: str, repeats: int) -> float:
    times = []
    client.get(url)
    for _ in range(repeats):
        started = time.perf_counter()
        answer = client.get(url)
        times.append(1000.0 * (time.perf_counter() - started))
        assert answer.status_code == 200, answer.text
    return statistics.median(times)
