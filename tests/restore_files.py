"""Small tomogram files for the tests of restore, and a way to run its jobs as the command line."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from icelens.apps import arguments
from icelens.core.data.volume import Volume
from icelens.core.events import Event
from icelens.core.io.volumes import write_volume
from icelens.jobs.job import Job
from icelens.jobs.run import run_job

SHAPE = (20, 32, 36)


def write_density(
    path: Path, values: np.ndarray | None = None, *, pixel_size: float = 10.0, seed: int = 0
) -> Path:
    """A tomogram of smooth noise, or of given values."""
    if values is None:
        noise = np.random.default_rng(seed).standard_normal(SHAPE)
        values = gaussian_filter(noise, 1.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(np.asarray(values, np.float32), pixel_size))
    return path


def write_halves(folder: Path, *names: str) -> tuple[Path, Path]:
    """Folders of even and odd tomograms."""
    for number, name in enumerate(names):
        write_density(folder / "even" / f"{name}_EVN.mrc", seed=2 * number)
        write_density(folder / "odd" / f"{name}_ODD.mrc", seed=2 * number + 1)
    return folder / "even", folder / "odd"


def run_words(job: Job[Any, Any], line: str, events: list[Event] | None = None) -> Any:
    """Run a job with what one would type after its name."""
    config = arguments.parse(job, line.split()).config
    return run_job(job, config, on_event=(events if events is not None else []).append)
