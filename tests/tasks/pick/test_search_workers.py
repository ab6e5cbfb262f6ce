"""Trials of dead processes are begun again, those of living ones are left alone."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest

from icelens.jobs.lock import locked_folder
from icelens.tasks.pick.search_storage import quiet_optuna
from icelens.tasks.pick.search_workers import begin_again, is_dead, revive_dead_trials, sign


@pytest.fixture
def study() -> Iterator[optuna.Study]:
    with quiet_optuna():
        yield optuna.create_study(direction="maximize")


def begun(study: optuna.Study, output: Path | None, **attributes: Any) -> Any:
    """A trial that a process works on."""
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    if output is not None:
        sign(trial, output, output / f"trial_{trial.number:04d}")
    for name, value in attributes.items():
        trial.set_user_attr(name, value)
    return study.trials[trial.number]


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


def test_what_ran_in_our_own_folder_is_begun_again(study: optuna.Study, tmp_path: Path) -> None:
    old = begun(study, tmp_path)
    assert revive_dead_trials(study, tmp_path) == [0]
    assert states(study) == ["FAIL", "WAITING"]
    trial = study.ask()
    assert trial.suggest_float("x", 0, 1) == old.params["x"]
    assert trial.user_attrs["continues"] == str(tmp_path / "trial_0000")
    assert trial.user_attrs["attempt"] == 2


def test_a_locked_folder_belongs_to_a_living_process(study: optuna.Study, tmp_path: Path) -> None:
    begun(study, tmp_path / "other")
    with locked_folder(tmp_path / "other"):
        assert revive_dead_trials(study, tmp_path / "mine") == []
    assert revive_dead_trials(study, tmp_path / "mine") == [0]


def test_a_vanished_folder_belongs_to_nobody(study: optuna.Study, tmp_path: Path) -> None:
    assert is_dead(begun(study, tmp_path / "gone"), tmp_path)


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [("running", 1, False), ("running", 11, True), ("stopped", 0, True), ("done", 0, True)],
)
def test_of_another_machine_the_heartbeat_tells(
    study: optuna.Study, tmp_path: Path, state: str, minutes: int, *, expected: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    heartbeat = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    record = {"config": {}, "state": state, "heartbeat": heartbeat}
    (other / "run.json").write_text(json.dumps(record))
    trial = begun(study, other, host=f"not-{socket.gethostname()}")
    assert is_dead(trial, tmp_path) is expected


@pytest.mark.parametrize("text", [None, "{", '{"config": {}}', '{"config": {}, "heartbeat": "x"}'])
def test_what_cannot_be_told_is_left_alone(
    study: optuna.Study, tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    trial = begun(study, tmp_path, host=f"not-{socket.gethostname()}")
    assert not is_dead(trial, tmp_path / "mine")


def test_a_newborn_without_owner_may_live(study: optuna.Study, tmp_path: Path) -> None:
    trial = begun(study, None)
    assert not is_dead(trial, tmp_path)
    trial.datetime_start = datetime.now() - timedelta(minutes=2)
    assert is_dead(trial, tmp_path)


def test_a_trial_that_kills_its_machine_is_given_up(study: optuna.Study, tmp_path: Path) -> None:
    for _ in range(3):
        begun(study, tmp_path)
        revive_dead_trials(study, tmp_path)
    assert states(study) == ["FAIL"] * 3


def test_two_processes_do_not_revive_one_trial_twice(
    study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(study, tmp_path)
    seen = study.get_trials()
    revive_dead_trials(study, tmp_path)
    monkeypatch.setattr(study, "get_trials", lambda **_: seen)
    assert revive_dead_trials(study, tmp_path) == []
    monkeypatch.undo()
    assert states(study) == ["FAIL", "WAITING"]


def test_begin_again_keeps_what_was_drawn(study: optuna.Study, tmp_path: Path) -> None:
    trial = begun(study, tmp_path)
    begin_again(study, trial)
    assert study.ask().suggest_float("x", 0, 1) == trial.params["x"]
