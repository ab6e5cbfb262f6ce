"""Declaration of `icelens hetero train`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.costs import estimate_train
from icelens.tasks.hetero.train_settings import TrainConfig


@job(
    "hetero.train",
    cites=("zhong2021cryodrgn", "kingma2014vae"),
    estimate=estimate_train,
    resumable=True,
)
def train(config: TrainConfig, run: Run) -> Path:
    """Train a network that knows the structures in a data set, from images with known poses.

    Writes a latent for each particle (latents.csv), checkpoints, the map of all images and a
    report. `hetero analyze` looks at the latents, `hetero volumes` makes maps at any of them.
    """
    from icelens.tasks.hetero.train import train as learn

    return learn(config, run)


JOBS: tuple[Job[Any, Any], ...] = (train,)
"""Every job of hetero that trains a network."""
