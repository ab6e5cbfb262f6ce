"""Settings of cross-validation and of the search for settings. Imports no torch."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from icelens.jobs.config import EXPERT
from icelens.tasks.pick.train_settings import LearningConfig


class CrossValidateConfig(LearningConfig):
    """Settings of `icelens pick cross-validate`."""

    output: Path
    """Folder of the models fold_1, fold_2 and so on, and of the report."""

    runs: tuple[str, ...] = ()
    """Runs to take part; without them, all with tomogram and truth."""

    folds: int = Field(default=0, ge=0)
    """Parts that the runs are dealt to, each held out once; 0 holds out one run at a time."""

    select: Literal["last", "best"] = Field(default="last", json_schema_extra=EXPERT)
    """Weights to score: last, the average at the end, looks at the held-out runs once; best takes
    the step that does best on them, which makes their score a little too good."""


class SearchConfig(LearningConfig):
    """Settings of `icelens pick search`."""

    output: Path
    """Folder of the trials, the best model and the report; each process needs one of its own."""

    trials: int = Field(default=20, ge=1)
    """Trials to finish in all, those of other processes and of earlier runs included."""

    networks: tuple[str, ...] = ()
    """Architectures to choose from; without them, --network alone."""

    keep: tuple[str, ...] = Field(default=(), json_schema_extra=EXPERT)
    """Settings that are not searched but stay as given, such as crop_size,batch_size."""

    storage: str | None = None
    """Where trials are recorded: a journal file, or the URL of a database such as
    postgresql://user@host/name; processes with the same one share the work. Without it,
    trials.log in the output folder."""

    study: str = Field(default="icelens-pick", min_length=1, json_schema_extra=EXPERT)
    """Name of the search within a database that holds several."""

    trials_here: int | None = Field(default=None, ge=1, json_schema_extra=EXPERT)
    """Trials after which this process ends, such as 1 for a cluster job of one trial."""

    prune: bool = Field(default=True, json_schema_extra=EXPERT)
    """Stop trials that lie below the median of the others at the same step."""

    steps: int | None = Field(default=600, ge=1)
    """Optimiser steps of each trial: fewer than for the final model, enough to tell settings
    apart. None takes as many as `icelens pick train` would."""

    train_runs: tuple[str, ...] = Field(default=(), json_schema_extra=EXPERT)
    """Runs to learn from; without them, all that are not named otherwise."""

    validation_runs: tuple[str, ...] = ()
    """Runs that judge the trials; without them, some are drawn."""

    test_runs: tuple[str, ...] = Field(default=(), json_schema_extra=EXPERT)
    """Runs that no trial sees; the best model is scored on them once, at the end."""

    split: tuple[float, ...] = Field(default=(), json_schema_extra=EXPERT)
    """Shares of runs to train, validate and test on, drawn by the seed; 0.75,0.25 where no runs
    are named."""
