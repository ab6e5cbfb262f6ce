"""A trial reports, is pruned, fails by itself, and goes on where a dead process stopped."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from searched import settings, train_by_formula

from icelens.core.errors import IcelensError
from icelens.core.events import Event, Metrics, ignore
from icelens.jobs.run import Run
from icelens.tasks.pick import search_trial as module
from icelens.tasks.pick.learning_data import open_data
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.search_trial import Objective, TrialFailed, forget_weights
from icelens.tasks.pick.splits import Split


@pytest.fixture
def objective(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objective:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    monkeypatch.setattr(module, "train_on", train_by_formula)
    config = settings(tmp_path)
    config.output.mkdir()
    data = LoadedOnce(open_data(config, ignore))
    return Objective(config, data, Split(("TS_1",), ("TS_2",)), Run(config.output), None)


def test_scores_on_the_way_are_reported(objective: Objective) -> None:
    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=1)
    trial = study.trials[0]
    assert list(trial.intermediate_values) == [2, 4]
    assert trial.intermediate_values[4] == pytest.approx(trial.value)
    assert trial.user_attrs["checkpoint"] == "best.safetensors"
    folder = objective.run.folder / "trial_0000"
    assert trial.user_attrs["folder"] == str(folder)
    assert not (folder / "state.safetensors").exists(), "a finished trial is not resumed"


class Never(optuna.pruners.BasePruner):
    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        del study, trial
        return True


def test_a_bad_trial_is_pruned_but_not_at_its_last_step(
    objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(direction="maximize", pruner=Never())
    study.optimize(objective, n_trials=1)
    assert study.trials[0].state.name == "PRUNED"
    assert list(study.trials[0].intermediate_values) == [2]
    calls: list[str] = []
    skip_first = lambda event: calls.append("x") or True  # noqa: E731

    def only_last(config: Any, data: Any, split: Any, run: Run, **_: Any) -> Any:
        def pass_on(event: Event) -> None:
            if skip_first(event) and not (isinstance(event, Metrics) and event.step == 2):
                run.on_event(event)

        return train_by_formula(config, data, split, Run(run.folder, pass_on))

    monkeypatch.setattr(module, "train_on", only_last)
    study.optimize(objective, n_trials=1)
    assert study.trials[1].state.name == "COMPLETE"


@pytest.mark.parametrize(
    ("error", "cause"),
    [(IcelensError("box: too small"), "box: too small"), (MemoryError(), "out of memory")],
)
def test_settings_that_cannot_be_trained_fail_alone(
    objective: Objective, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "train_on", fail)
    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=1, catch=(TrialFailed,))
    assert study.trials[0].state.name == "FAIL"
    assert study.trials[0].user_attrs["cause"] == cause


def test_a_continued_trial_takes_folder_and_scores_over(
    objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = objective.run.folder / "trial_0007"
    old.mkdir()
    (old / "state.safetensors").touch()
    (old / "metrics.jsonl").write_text('{"step": 2, "score": -0.125}\n')
    resumed: list[bool] = []

    def watched(config: Any, data: Any, split: Any, run: Run, **_: Any) -> Any:
        resumed.append(run.resume)
        return train_by_formula(config, data, split, run)

    monkeypatch.setattr(module, "train_on", watched)
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({"learning_rate": 2e-3}, user_attrs={"continues": str(old)})
    study.optimize(objective, n_trials=1)
    assert resumed == [True]
    assert not old.exists()
    assert study.trials[0].intermediate_values == {2: 0.125, 4: pytest.approx(0.5)}


def test_a_lost_folder_means_a_new_beginning(objective: Objective) -> None:
    study = optuna.create_study(direction="maximize")
    lost = str(objective.run.folder / "lost")
    study.enqueue_trial({"learning_rate": 2e-3}, user_attrs={"continues": lost})
    study.optimize(objective, n_trials=1)
    assert list(study.trials[0].intermediate_values) == [2, 4]


def test_weights_of_worthless_trials_go(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").touch()
    (tmp_path / "metrics.jsonl").touch()
    forget_weights(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
