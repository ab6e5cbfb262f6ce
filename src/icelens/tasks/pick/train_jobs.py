"""Declarations of the jobs that train or apply a picking network. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.costs import estimate_segment, estimate_train
from icelens.tasks.pick.train_settings import SegmentConfig, TrainConfig


@job("pick.train", cites=("czii2025challenge",), estimate=estimate_train, resumable=True)
def train(config: TrainConfig, run: Run) -> Path:
    """Train a network to find particles, from picks or segmentations of a project."""
    from icelens.tasks.pick.train import train as learn

    return learn(config, run)


@job("pick.segment", estimate=estimate_segment, shared_by="runs")
def segment(config: SegmentConfig, run: Run) -> list[Path]:
    """Apply a trained network to tomograms: class maps for localisation, labels for viewers."""
    from icelens.tasks.pick.segment import segment as apply

    return apply(config, run)


JOBS: tuple[Job[Any, Any], ...] = (train, segment)
