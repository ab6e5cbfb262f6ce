"""Declarations of cross-validation and of the search for settings. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.search_costs import estimate_cross_validate, estimate_search
from icelens.tasks.pick.search_settings import CrossValidateConfig, SearchConfig


@job(
    "pick.cross-validate",
    cites=("czii2025challenge",),
    estimate=estimate_cross_validate,
    resumable=True,
)
def cross_validate(config: CrossValidateConfig, run: Run) -> Path:
    """Train on all runs but a few, in turn, and score each run by a network that never saw it.

    The thresholds of all folds together are stored in each fold's model, so that
    `icelens pick segment --model fold_1 --model fold_2` makes an ensemble with honest thresholds.
    """
    from icelens.tasks.pick.cross_validate import cross_validate as validate

    return validate(config, run)


@job(
    "pick.search",
    cites=("akiba2019optuna",),
    estimate=estimate_search,
    resumable=True,
    shared_by="storage",
)
def search(config: SearchConfig, run: Run) -> Path:
    """Search for settings that find particles best, by many short trainings.

    Processes that name the same --storage share the trials; each has its own --output. On a
    cluster, start the same command in many jobs, with --trials-here 1 if each is to do one trial.
    """
    from icelens.tasks.pick.search import search as find

    return find(config, run)


JOBS: tuple[Job[Any, Any], ...] = (cross_validate, search)
