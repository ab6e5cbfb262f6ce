"""What cross-validation and search will cost, by what one training costs. Imports no torch."""

from dataclasses import replace

from icelens.core.errors import IcelensError
from icelens.core.io.copick.project import open_project
from icelens.jobs.job import Estimate
from icelens.tasks.pick.costs import estimate_train
from icelens.tasks.pick.search_settings import CrossValidateConfig, SearchConfig
from icelens.tasks.pick.train_settings import LearningConfig, TrainConfig


def estimate_cross_validate(config: CrossValidateConfig) -> Estimate:
    """One training for each fold."""
    count = config.folds or len(config.runs) or _num_runs(config)
    one = estimate_train(_training(config, config.runs))
    return _times(one, count, f"{count} trainings, one after the other.")


def estimate_search(config: SearchConfig) -> Estimate:
    """One short training for each trial; the settings they try make some cheaper, some dearer."""
    count = config.trials if config.trials_here is None else config.trials_here
    one = estimate_train(_training(config, (*config.train_runs, *config.validation_runs)))
    note = (
        f"{count} trials at the cost of the given settings; those tried may cost a third to ten "
        "times as much."
    )
    return _times(one, count, note + (" Pruned ones cost less." if config.prune else ""))


def _training(config: LearningConfig, runs: tuple[str, ...]) -> TrainConfig:
    """The settings of one training among many."""
    values = {name: getattr(config, name) for name in LearningConfig.model_fields}
    return TrainConfig(**values, output=config.project[0].parent, train_runs=runs)


def _times(one: Estimate, count: int, note: str) -> Estimate:
    return replace(
        one,
        seconds=count * one.seconds,
        disk_bytes=count * one.disk_bytes,
        notes=(note, *one.notes),
    )


def _num_runs(config: LearningConfig) -> int:
    """Runs of the projects, of those that can be opened; all of them may have truth."""
    total = 0
    for path in config.project:
        try:
            total += len(open_project(path).run_names())
        except IcelensError:
            continue
    return max(total, 1)
