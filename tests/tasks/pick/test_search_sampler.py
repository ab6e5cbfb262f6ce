"""Draws depend on seed, number of the trial and the past; not on the process."""

import warnings
from typing import Any

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning

from icelens.tasks.pick.search_sampler import SeededByTrial


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    if trial.suggest_categorical("kind", ["a", "b"]) == "a":
        return -((x - trial.suggest_float("y", -1, 1)) ** 2)
    return -(x**2) - 1


def values(seed: int, parts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Parameters of trials that several processes did, one after the other."""
    storage = optuna.storages.InMemoryStorage()
    for count in parts:
        study = optuna.create_study(
            storage=storage,
            sampler=SeededByTrial(seed),
            study_name="s",
            direction="maximize",
            load_if_exists=True,
        )
        study.optimize(objective, n_trials=count)
    return [trial.params for trial in study.trials]


def test_a_resumed_search_draws_as_one_never_stopped() -> None:
    assert values(3, (18,)) == values(3, (11, 4, 3))


def test_other_seeds_draw_others() -> None:
    assert values(3, (3,)) != values(4, (3,))
    assert values(0, (2,))[1] != values(1, (1,))[0]


def test_parameters_of_a_trial_do_not_share_their_draw() -> None:
    study = optuna.create_study(sampler=SeededByTrial(0))
    trial = study.ask()
    assert trial.suggest_float("a", 0, 1) != trial.suggest_float("b", 0, 1)


def test_the_best_gets_better_than_chance() -> None:
    def bowl(trial: optuna.Trial) -> float:
        return -sum(trial.suggest_float(name, -1, 1) ** 2 for name in "abcd")

    study = optuna.create_study(sampler=SeededByTrial(0), direction="maximize")
    study.optimize(bowl, n_trials=40)
    scores = [trial.value or 0.0 for trial in study.trials]
    assert max(scores[10:]) > max(scores[:10])
