"""Declaration of `icelens pose train`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pose.costs import estimate_train
from icelens.tasks.pose.train_settings import TrainConfig


@job(
    "pose.train",
    cites=(
        "klee2023image",
        "sanchezgarcia2025cryopares",
        "gorski2005healpix",
        "guo2017calibration",
    ),
    estimate=estimate_train,
    resumable=True,
)
def train(config: TrainConfig, run: Run) -> Path:
    """Train networks that see the orientation of a particle, from images with known poses.

    One for each half set, so that half maps made with them stay independent. Writes checkpoints, a
    reference map for each, learning curves and a report with errors on held-out particles.
    """
    from icelens.tasks.pose.train import train as learn

    return learn(config, run)


JOBS: tuple[Job[Any, Any], ...] = (train,)
