"""A project with a little of everything the workbench shows, for tests that ask for all of it."""

from pathlib import Path

import numpy as np
import pytest
from hetero_world import two_states
from latent_runs import run_in
from project_jobs import add_job

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.config import new_project_content, write_project_file
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.volumes import write_volume
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue

STATES = ("done", "running", "failed", "stopped")


def fill(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs in each state, a volume `a.mrc`, `images/particles.star`, `picks.json`, a run `run`."""
    add_jobs(project)
    values = np.random.default_rng(0).normal(size=(6, 20, 24)).astype(np.float32)
    write_volume(project.folder / "a.mrc", Volume(values, 5.0))
    two_states(project.folder / "images", 12)
    run_in(project.folder, monkeypatch)
    _add_picks(project.folder, values)
    (project.folder / "fsc.csv").write_text(
        "shell,spatial_frequency,fsc\n0,0,1\n1,0.1,0.6\n2,0.2,0.1\n"
    )
    (project.folder / "settings.yaml").write_text("epochs: 3\n")


def add_jobs(project: Project) -> None:
    """Four that began, numbers 1 to 4, a draft and one in the trash."""
    log = "2026-01-01T00:00:00+00:00 INFO  training: 10 steps\n2026-01-01T00:00:01 ERROR no\n"
    for state in STATES:
        number = add_job(project, state=state, metrics='{"step": 1, "loss": 0.5}\n')
        (project.folder / f"jobs/{number:04d}/log.txt").write_text(log)
        (project.folder / f"jobs/{number:04d}/report.html").write_text("<p>report</p>")
    queue = Queue(project)
    queue.submit("restore.refine", {}, is_draft=True)
    queue.remove(queue.submit("restore.refine", {}, is_draft=True).number)


def _add_picks(folder: Path, values: np.ndarray) -> None:
    content = new_project_content(
        "p", [PickableObject("a", 1, 20.0)], overlay_root=folder / "root", static_root=None
    )
    write_project_file(folder / "picks.json", content)
    opened = open_project(folder / "picks.json")
    opened.write_tomogram("TS_01", Volume(values, 5.0), "wbp")
    picks = Picks(np.asarray([[10.0, 20.0, 25.0]]), score=np.asarray([0.5]))
    opened.write_picks("TS_01", PicksKey("a", Source("icelens", "1")), picks)
