"""What a search found: the best model and its settings, a table of all trials, the report."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.errors import IcelensError
from icelens.core.events import Message, Saved
from icelens.core.io.atomic import atomic_folder, atomic_path
from icelens.core.io.csv_table import write_csv
from icelens.core.metrics.detection import score_detections
from icelens.jobs.run import Run
from icelens.jobs.validation import as_yaml
from icelens.tasks.pick.learning_data import LearningData
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.scoring import JUDGING_VIEWS, Scorer, true_picks
from icelens.tasks.pick.search_report import report_search
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.search_space import propose, with_changes
from icelens.tasks.pick.splits import Split
from icelens.tasks.pick.train_jobs import train
from icelens.tasks.pick.train_report import kept_picks
from icelens.tasks.pick.train_settings import LearningConfig, TrainConfig
from icelens.training.checkpoint import BEST_NAME
from icelens.training.device import choose_compute

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

BEST_FOLDER, BEST_SETTINGS, TABLE_NAME = "best", "best.yaml", "trials.csv"


def write_results(
    study: "Study", config: SearchConfig, run: Run, data: LearningData, split: Split
) -> None:
    """Write what is known so far; called however the search ended."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    write_csv(run.folder / TABLE_NAME, *trial_table(trials))
    run.on_event(Saved(run.folder / TABLE_NAME, "table"))
    finished = [each for each in trials if each.state == TrialState.COMPLETE]
    if not finished:
        run.on_event(Message("no trial is finished yet, so there is no best model", "warning"))
        report_search(run, study, split, None, None)
        return
    best = max(finished, key=lambda each: each.value or 0.0)
    best_path = _keep_best(best, run)
    with atomic_path(run.folder / BEST_SETTINGS) as temporary:
        temporary.write_text(as_yaml(train, final_settings(best, config, split)), encoding="utf-8")
    run.on_event(Saved(run.folder / BEST_SETTINGS, "settings"))
    tested = None
    if split.test and best_path is not None:
        tested = _score_on_tests(best_path, config, run, data, split)
    report_search(run, study, split, best, tested)


def trial_table(trials: "list[FrozenTrial]") -> tuple[list[str], list[list[Any]]]:
    """Header and rows of all trials; a setting that a trial did not draw is empty."""
    names = list(dict.fromkeys(name for each in trials for name in each.params))
    header = ["trial", "state", "score", *names, "seconds", "host", "folder", "cause"]
    rows = [
        [
            each.number,
            each.state.name.lower(),
            "" if each.value is None else each.value,
            *(each.params.get(name, "") for name in names),
            *(each.user_attrs.get(key, "") for key in ("seconds", "host", "folder", "cause")),
        ]
        for each in trials
    ]
    return header, rows


def final_settings(best: "FrozenTrial", config: SearchConfig, split: Split) -> TrainConfig:
    """Settings of `icelens pick train` for the final model: those of a trial, at full length."""
    from optuna.trial import FixedTrial

    chosen = with_changes(config, propose(FixedTrial(best.params), config))
    values = {name: getattr(chosen, name) for name in LearningConfig.model_fields}
    return TrainConfig(
        **{**values, "steps": None, "time_limit": None},
        output=Path("model"),
        train_runs=split.train,
        validation_runs=split.validation,
        test_runs=split.test,
    )


def _keep_best(best: "FrozenTrial", run: Run) -> Path | None:
    """Copy the checkpoint of the best trial, if its folder can be reached from here."""
    source = Path(best.user_attrs["folder"]) / best.user_attrs["checkpoint"]
    if not source.is_file():
        run.on_event(
            Message(
                f"the best model lies on {best.user_attrs.get('host')} in {source}, which cannot "
                "be reached from here; copy it, or train again with --config "
                f"{run.folder / BEST_SETTINGS}",
                "warning",
            )
        )
        return None
    with atomic_folder(run.folder / BEST_FOLDER) as folder:
        shutil.copyfile(source, folder / BEST_NAME)
    path = run.folder / BEST_FOLDER / BEST_NAME
    run.on_event(Saved(path, "checkpoint"))
    return path


def _score_on_tests(
    path: Path, config: SearchConfig, run: Run, data: LearningData, split: Split
) -> float | None:
    """F-beta by the CZII rule on runs that no trial saw, at the thresholds of the model."""
    try:
        tests = data.load(split.test, run.on_event)
        model = read_model(path)
    except IcelensError as error:
        run.on_event(Message(f"the test runs could not be scored: {error}", "warning"))
        return None
    compute = choose_compute(config.device, config.precision, config.threads)
    judged = Scorer(tests, model, compute, config.beta, run.on_event).judged(
        model.network.to(compute.device), num_views=JUDGING_VIEWS
    )
    scored = {each.name for each in judged.classes()}
    score = score_detections(
        {each.name: true_picks(each, model.objects) for each in tests},
        {name: kept_picks(picks, model.thresholds) for name, picks in judged.picks.items()},
        [each for each in model.objects if each.name in scored],
        beta=config.beta,
    )
    return score.f_beta
