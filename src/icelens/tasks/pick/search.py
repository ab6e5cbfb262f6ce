"""The search for settings: trials, one after the other, of a study that many may share."""

import json
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.errors import IcelensError, StoppedEarly
from icelens.core.events import Message, Progress
from icelens.jobs.record import free_name
from icelens.jobs.run import Run
from icelens.tasks.pick.learning_data import open_data
from icelens.tasks.pick.learning_setup import fit_settings
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.same_settings import comparable_settings, refuse_other_settings
from icelens.tasks.pick.search_results import write_results
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.search_space import check_space
from icelens.tasks.pick.search_split import split_of
from icelens.tasks.pick.search_storage import (
    JOURNAL_NAME,
    explained_storage,
    is_url,
    open_storage,
    quiet_optuna,
    shown,
)
from icelens.tasks.pick.search_trial import Objective, TrialFailed, forget_weights
from icelens.tasks.pick.search_workers import begin_again, revive_dead_trials
from icelens.tasks.pick.splits import Split
from icelens.training.distributed import num_processes

if TYPE_CHECKING:
    from optuna.study import Study

_STARTUP_TRIALS = 5
"""Trials that are finished before any is pruned."""
_WARM_UP = 3
"""A trial is not pruned in the first part of its steps, one by this number."""
_MOST_FAILURES = 5
"""In a row: then it is not the drawn settings that are at fault."""
_SETTINGS = "settings"
_MAY_DIFFER = {"trials", "trials_here", "storage", "study", "prune"}


def search(config: SearchConfig, run: Run) -> Path:
    """Try settings until as many trials are finished as were asked for.

    Returns:
        The folder with `best`, `best.yaml`, `trials.csv` and the report.

    Raises:
        IcelensError: If no settings can be trained, or the storage does not answer.
        StoppedEarly: If the time limit came first; the trial at hand is resumed later.
    """
    if num_processes() > 1:
        raise IcelensError(
            "pick search was started by torchrun, but a trial runs on one device; start a process "
            "for each device with its own --output and the same --storage"
        )
    deadline = None if config.time_limit is None else time.monotonic() + 60 * config.time_limit
    check_space(config)
    data = open_data(config, run.on_event)
    split = split_of(config, data)
    loaded = LoadedOnce(data)
    for names in (split.train, split.validation):
        loaded.load(names, run.on_event)  # what is wrong with the data ends the search, not a trial
    storage = config.storage or str(run.folder / JOURNAL_NAME)
    if config.storage is None and not run.resume:
        _set_aside(run.folder)
    _warn_of_password(storage, run)
    trials = Split(split.train, split.validation)
    objective = Objective(config, loaded, trials, run, deadline)
    with quiet_optuna(), explained_storage(storage):
        classes = [each.name for each in data.truth.classes]
        settings = comparable_settings(config, classes, leave_out=_MAY_DIFFER)
        num_steps = fit_settings(config, loaded.load(split.train, run.on_event)).num_steps
        study = open_study(config, storage, settings, num_steps)
        try:
            _work(study, objective)
        except BaseException:
            write_results(study, config, run, data, trials)
            raise
        is_over = count_trials(study).done >= config.trials
        write_results(study, config, run, data, split if is_over else trials)
    return run.folder


def open_study(
    config: SearchConfig, storage: str, settings: dict[str, Any], num_steps: int
) -> "Study":
    """Begin a study of trials of `num_steps` steps, or join one.

    Raises:
        MetadataError: If the study there was begun with other settings.
    """
    import optuna

    from icelens.tasks.pick.search_sampler import SeededByTrial

    study = optuna.create_study(
        storage=open_storage(storage, begin_again),
        sampler=SeededByTrial(config.seed),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=num_steps // _WARM_UP
        ),
        study_name=config.study,
        direction="maximize",
        load_if_exists=True,
    )
    if _SETTINGS not in study.user_attrs:
        study.set_user_attr(_SETTINGS, json.dumps(settings))
    where = f"{shown(storage)}: study {config.study}"
    refuse_other_settings(where, json.loads(study.user_attrs[_SETTINGS]), settings)
    return study


@dataclass(frozen=True)
class Counts:
    """Trials by what became of them; pruned ones are done, failed ones are not."""

    done: int
    running: int
    failed: int


def count_trials(study: "Study") -> Counts:
    """Count the trials of all processes."""
    from optuna.trial import TrialState

    states = [each.state for each in study.get_trials(deepcopy=False)]
    return Counts(
        states.count(TrialState.COMPLETE) + states.count(TrialState.PRUNED),
        states.count(TrialState.RUNNING),
        states.count(TrialState.FAIL),
    )


def _work(study: "Study", objective: Objective) -> None:
    """Do trials until enough are done or under way."""
    config, run = objective.config, objective.run
    done_here = failures = 0
    while done_here < (config.trials_here or config.trials):
        for number in revive_dead_trials(study, run.folder):
            run.on_event(Message(f"trial {number} lost its process and is queued again", "warning"))
        counts = count_trials(study)
        run.on_event(Progress("search", counts.done, config.trials, "trial"))
        if counts.done + counts.running >= config.trials:
            break
        if objective.deadline is not None and time.monotonic() > objective.deadline:
            raise StoppedEarly(f"the time limit was reached after {counts.done} trials")
        has_failed = _one_trial(study, objective)
        failures = failures + 1 if has_failed else 0
        done_here += not has_failed
        if failures >= _MOST_FAILURES:
            raise IcelensError(
                f"{failures} trials in a row failed, the last one with: {_cause(study, objective)}"
            )
    counts = count_trials(study)
    run.on_event(Progress("search", counts.done, config.trials, "trial"))
    if counts.running:
        run.on_event(
            Message(
                f"{counts.running} trials still run in other processes; `--resume` when they have "
                "ended brings the report up to date",
            )
        )


def _one_trial(study: "Study", objective: Objective) -> bool:
    """Do a trial; whether its settings failed. One that is interrupted is queued again."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    objective.forget()
    try:
        study.optimize(objective, n_trials=1, catch=(TrialFailed,))
    except (KeyboardInterrupt, StoppedEarly):
        if objective.number is not None:
            trial = study.get_trials(deepcopy=False)[objective.number]
            if trial.state == TrialState.FAIL:
                begin_again(study, trial)
        raise
    except (ValueError, UpdateFinishedTrialError) as error:
        if isinstance(error, ValueError) and not str(error).startswith("Cannot tell"):
            raise
        text = f"trial {objective.number} was taken for dead by another process and begun there"
        objective.run.on_event(Message(text, "warning"))
        return True
    if objective.number is None:
        return False
    trial = study.get_trials(deepcopy=False)[objective.number]
    if trial.state != TrialState.COMPLETE:
        forget_weights(Path(trial.user_attrs["folder"]))
    if trial.state == TrialState.PRUNED:
        objective.run.on_event(Message(f"trial {trial.number} pruned at step {trial.last_step}"))
    elif trial.state == TrialState.COMPLETE:
        objective.run.on_event(Message(f"trial {trial.number}: score {trial.value:.3f}"))
    return trial.state == TrialState.FAIL


def _cause(study: "Study", objective: Objective) -> str:
    assert objective.number is not None, "a trial has failed"
    trial = study.get_trials(deepcopy=False)[objective.number]
    return str(trial.user_attrs.get("cause", "no word"))


def _set_aside(folder: Path) -> None:
    """Keep the journal of a search that is begun anew under another name; drop its trials."""
    journal = folder / JOURNAL_NAME
    if journal.exists():
        journal.rename(free_name(folder, journal.stem, journal.suffix))
    for old in folder.glob("trial_*"):
        if re.fullmatch(r"trial_\d{4,}", old.name) and old.is_dir():
            shutil.rmtree(old, ignore_errors=True)


def _warn_of_password(storage: str, run: Run) -> None:
    if is_url(storage) and shown(storage) != storage:
        run.on_event(
            Message(
                "the password in --storage is written to run.json; let the database's driver find "
                "it instead (PGPASSWORD or ~/.pgpass for PostgreSQL)",
                "warning",
            )
        )
