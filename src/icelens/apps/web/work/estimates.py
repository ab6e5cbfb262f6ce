"""What a job will cost, by its own estimate; run in a worker because some import torch."""

import os
import shutil
from pathlib import Path
from typing import Any

from icelens.apps.dry_run import nearest_existing
from icelens.apps.web.worker import Answer
from icelens.jobs.provenance import memory_bytes
from icelens.jobs.registry import find_job
from icelens.jobs.run import output_folder
from icelens.jobs.validation import make_config


def estimate(project: str, job: str, settings: dict[str, Any]) -> Answer:
    """Time, memory and disk of a job, beside what this machine has.

    Args:
        project: Folder that paths are meant from.
        job: Name of the job.
        settings: In JSON form, with its output.

    Raises:
        IcelensError: What the estimate says of inputs that it cannot read.
    """
    os.chdir(project)
    declared = find_job(job)
    config = make_config(declared.config_type, settings)
    if declared.estimate is None:
        return Answer({"is_known": False})
    found = declared.estimate(config)
    free = shutil.disk_usage(nearest_existing(output_folder(config) or Path())).free
    return Answer(
        {
            "is_known": True,
            "seconds": float(found.seconds),
            "memory_bytes": int(found.memory_bytes),
            "machine_bytes": memory_bytes(),
            "disk_bytes": int(found.disk_bytes),
            "free_bytes": free,
            "notes": [str(note) for note in found.notes],
        }
    )
