"""`--dry-run`: what a job would do and cost, in a few plain lines."""

import shutil
from pathlib import Path
from typing import Any

from icelens.jobs.config import Config
from icelens.jobs.job import Estimate, Job
from icelens.jobs.provenance import memory_bytes
from icelens.jobs.report import duration
from icelens.jobs.run import output_folder
from icelens.jobs.settings import command_line, paths_in


def describe(job: Job[Any, Any], config: Config) -> str:
    """Text for the terminal; reads what the estimate reads and writes nothing."""
    lines = [f"would run: {command_line(job, config)}"]
    lines += [
        f"warning: {path} ({key}) does not exist"
        for key, path in paths_in(config)
        if not path.exists()
    ]
    if job.estimate is None:
        return "\n".join([*lines, "no estimate: this job takes little time and memory"])
    return "\n".join([*lines, *_costs(job.estimate(config), output_folder(config))])


def size(count: float) -> str:
    """A number of bytes with the digits it deserves."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000.0
    return f"{count:.3g} TB"


def nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest one above that exists."""
    path = folder.resolve()
    while not path.exists():
        path = path.parent
    return path


def _costs(estimate: Estimate, folder: Path | None) -> list[str]:
    lines = []
    if estimate.seconds:
        lines.append(f"time    about {duration(estimate.seconds)}")
    if estimate.memory_bytes:
        have = memory_bytes()
        lines.append(f"memory  about {size(estimate.memory_bytes)} (this machine has {size(have)})")
    if estimate.disk_bytes:
        free = shutil.disk_usage(nearest_existing(folder or Path())).free
        lines.append(f"disk    about {size(estimate.disk_bytes)} ({size(free)} are free)")
        if estimate.disk_bytes > free:
            lines.append("warning: the disk is too full for this job")
    return [*lines, *estimate.notes]
