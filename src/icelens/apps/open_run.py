"""`icelens.open_run`: the folder of a run, opened in Python or a notebook."""

from pathlib import Path

from icelens.jobs.opened_run import OpenedRun, open_recorded_run
from icelens.tasks.hetero.opened_hetero_run import OpenedHeteroRun, is_hetero_run, open_for_python


def open_run(folder: Path | str) -> OpenedRun | OpenedHeteroRun:
    """Open what a job left in its `--output`; see `icelens.open_run`."""
    path = Path(folder)
    return open_for_python(path) if is_hetero_run(path) else open_recorded_run(path)
