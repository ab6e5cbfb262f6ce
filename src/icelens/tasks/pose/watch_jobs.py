"""Declaration of `icelens pose watch`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pose.watch_settings import WatchConfig


@job(
    "pose.watch",
    cites=("klee2023image", "sanchezgarcia2025cryopares", "gorski2005healpix"),
    shared_by="output",
)
def watch(config: WatchConfig, run: Run) -> Path:
    """Find poses of particle files as they appear in a folder, with a live map and its resolution.

    Any number of processes share the work and the output; each file counts once, even if one of
    them is killed. Stop it with Ctrl-C and go on with the same command. Half sets that a file does
    not know are drawn by its name.
    """
    from icelens.tasks.pose.watch import watch as follow

    return follow(config, run)


JOBS: tuple[Job[Any, Any], ...] = (watch,)
