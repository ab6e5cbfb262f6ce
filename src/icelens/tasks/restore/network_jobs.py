"""Declarations of the jobs that train or run a network. Imports no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.restore.costs import estimate_predict, estimate_train
from icelens.tasks.restore.settings import (
    AssessConfig,
    DenoiseConfig,
    ImportCheckpointConfig,
    PredictConfig,
    RefineConfig,
)

if TYPE_CHECKING:
    from icelens.tasks.restore.assess import Assessment


@job("restore.denoise", cites=("lehtinen2018noise2noise",), estimate=estimate_train, resumable=True)
def denoise(config: DenoiseConfig, run: Run) -> Path:
    """Train a network to remove noise, from pairs of even and odd tomograms."""
    from icelens.tasks.restore.train import train

    return train(config, run)


@job(
    "restore.refine",
    cites=("liu2022isonet", "liu2025isonet2", "wiedemann2024deepdewedge"),
    estimate=estimate_train,
    resumable=True,
)
def refine(config: RefineConfig, run: Run) -> Path:
    """Train a network to fill the missing wedge, and to denoise and correct the CTF with it."""
    from icelens.tasks.restore.train import train

    return train(config, run)


@job(
    "restore.predict",
    cites=("liu2025isonet2",),
    estimate=estimate_predict,
    shared_by="tomograms",
)
def predict(config: PredictConfig, run: Run) -> list[Path]:
    """Restore tomograms with a trained network."""
    from icelens.tasks.restore.apply import predict as apply

    return apply(config, run)


@job("restore.assess")
def assess(config: AssessConfig, run: Run) -> "list[Assessment]":
    """Say how far the filled wedge can be trusted, without knowing the truth."""
    from icelens.tasks.restore.assess_run import assess as answer

    return answer(config, run)


@job("restore.import-checkpoint", cites=("liu2025isonet2",))
def import_checkpoint(config: ImportCheckpointConfig, run: Run) -> Path:
    """Convert a checkpoint of IsoNet2, reading its weights alone."""
    from icelens.tasks.restore.import_checkpoint import import_checkpoint as convert

    return convert(config.input, run.folder, pixel_size=config.pixel_size)


JOBS: tuple[Job[Any, Any], ...] = (denoise, refine, predict, assess, import_checkpoint)
