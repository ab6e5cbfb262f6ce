"""Searches from project to best model: counted, shared, killed, resumed."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from learnable_project import learnable_project
from searched import settings, train_by_formula

from icelens.apps import arguments, cli
from icelens.core.errors import IcelensError, InputFileError, MetadataError, StoppedEarly
from icelens.core.events import Event, Message
from icelens.jobs.run import run_job
from icelens.tasks.pick import search as module
from icelens.tasks.pick import search_trial
from icelens.tasks.pick.search_jobs import search
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.train_jobs import train
from icelens.training.checkpoint import load_checkpoint


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials by a formula."""
    monkeypatch.setattr(search_trial, "train_on", train_by_formula)


def rows(config: SearchConfig) -> list[dict[str, str]]:
    with (config.output / "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def states(config: SearchConfig) -> list[str]:
    return [row["state"] for row in rows(config)]


def test_a_search_trains_and_keeps_the_best(tmp_path: Path) -> None:
    learnable_project(tmp_path, num_runs=3)
    config = settings(tmp_path, trials=2, test_runs=("TS_3",))
    assert run_job(search, config) == config.output
    table = rows(config)
    assert [row["state"] for row in table] == ["complete", "complete"]
    best = max(table, key=lambda row: float(row["score"]))
    kept = load_checkpoint(config.output / "best")
    own = load_checkpoint(Path(best["folder"]))
    assert kept.description == own.description
    final = arguments.parse(train, ["--config", str(config.output / "best.yaml")]).config
    assert final.learning_rate == pytest.approx(float(best["learning_rate"]), rel=1e-5)
    assert final.validation_runs
    assert final.steps is None
    text = (config.output / "report.html").read_text()
    assert f"--config {config.output / 'best.yaml'} --output final" in text
    assert "is best with a score" in text
    assert "On the test runs, which no trial saw, its model scores" in text
    assert (config.output / "history.png").is_file()


@pytest.mark.usefixtures("quick")
def test_the_same_seed_tries_the_same(tmp_path: Path) -> None:
    tables = []
    for name in ("one", "two"):
        config = settings(tmp_path, output=tmp_path / name)
        run_job(search, config)
        tables.append([row["learning_rate"] for row in rows(config)])
    assert tables[0] == tables[1]
    config = settings(tmp_path, output=tmp_path / "three", seed=1)
    run_job(search, config)
    assert [row["learning_rate"] for row in rows(config)] != tables[0]


@pytest.mark.usefixtures("quick")
def test_importances_are_drawn_when_there_are_trials_enough(tmp_path: Path) -> None:
    config = settings(tmp_path, trials=6, prune=False)
    run_job(search, config)
    assert (config.output / "importances.png").is_file()
    record = json.loads((config.output / "run.json").read_text())
    assert {"akiba2019optuna", "watanabe2023pedanova"} <= set(record["citations"])


@pytest.mark.usefixtures("quick")
def test_a_finished_search_can_be_made_longer(tmp_path: Path) -> None:
    config = settings(tmp_path, trials=2)
    run_job(search, config)
    run_job(search, config, resume=True)
    assert len(rows(config)) == 2
    run_job(search, config.model_copy(update={"trials": 4}), resume=True)
    assert len(rows(config)) == 4


@pytest.mark.usefixtures("quick")
def test_begun_anew_the_old_journal_is_kept_aside(tmp_path: Path) -> None:
    config = settings(tmp_path, trials=2)
    run_job(search, config)
    run_job(search, config.model_copy(update={"trials": 1}), overwrite=True)
    assert states(config) == ["complete"]
    assert (config.output / "trials-1.log").is_file()
    assert not (config.output / "trial_0001").exists()


@pytest.mark.usefixtures("quick")
def test_other_settings_cannot_join_a_study(tmp_path: Path) -> None:
    config = settings(tmp_path, trials=1)
    run_job(search, config)
    with pytest.raises(MetadataError, match="was made with steps = 4, now it is 5"):
        run_job(search, config.model_copy(update={"steps": 5}), resume=True)


def interrupt_first(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> list[bool]:
    """End the first training by `error` after it saved a state; note whether each is resumed."""
    resumed: list[bool] = []

    def interrupted(config: Any, data: Any, split: Any, run: Any, **_: Any) -> Any:
        resumed.append(run.resume)
        if len(resumed) == 1:
            (run.folder / "state.safetensors").touch()
            raise error
        return train_by_formula(config, data, split, run)

    monkeypatch.setattr(search_trial, "train_on", interrupted)
    return resumed


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoppedEarly("limit")])
def test_an_interrupted_trial_is_resumed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    resumed = interrupt_first(monkeypatch, error)
    config = settings(tmp_path, trials=2)
    with pytest.raises(type(error)):
        run_job(search, config)
    assert states(config) == ["fail", "waiting"]
    run_job(search, config, resume=True)
    table = rows(config)
    assert [row["state"] for row in table] == ["fail", "complete", "complete"]
    assert table[0]["learning_rate"] == table[1]["learning_rate"]
    assert resumed == [False, True, False]
    assert not (config.output / "trial_0000").exists(), "its folder became trial_0001"


def test_failed_trials_do_not_count_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) in (1, 3):
            raise IcelensError("box: too small")
        return train_by_formula(*args, **kwargs)

    monkeypatch.setattr(search_trial, "train_on", sometimes)
    config = settings(tmp_path, trials=2, prune=False)
    run_job(search, config)
    assert states(config) == ["fail", "complete", "fail", "complete"]
    assert rows(config)[0]["cause"] == "box: too small"


def test_if_all_fail_the_search_ends_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IcelensError("box: too small")

    monkeypatch.setattr(search_trial, "train_on", fail)
    config = settings(tmp_path, trials=9)
    with pytest.raises(IcelensError, match="5 trials in a row failed, the last one with: box: too"):
        run_job(search, config)
    assert states(config) == ["fail"] * 5
    assert not (config.output / "best").exists()


def test_the_time_limit_ends_between_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = [0.0]
    limits: list[float] = []

    def timed(config: Any, *args: Any, **kwargs: Any) -> Any:
        limits.append(config.time_limit)
        minutes[0] += 0.75
        return train_by_formula(config, *args, **kwargs)

    monkeypatch.setattr(search_trial, "train_on", timed)
    clock = SimpleNamespace(monotonic=lambda: 60 * minutes[0])
    for each in (module, search_trial):
        monkeypatch.setattr(each, "time", clock)
    config = settings(tmp_path, trials=5, time_limit=1.0)
    with pytest.raises(StoppedEarly, match="reached after 2 trials"):
        run_job(search, config)
    assert limits == [1.0, 0.25]
    assert states(config) == ["complete"] * 2


@pytest.mark.usefixtures("quick")
def test_a_process_may_end_after_its_share(tmp_path: Path) -> None:
    journal = str(tmp_path / "shared.log")
    first = settings(tmp_path, trials=5, trials_here=1, storage=journal)
    second = first.model_copy(update={"output": tmp_path / "other", "trials_here": 2})
    run_job(search, first)
    run_job(search, second)
    assert len(rows(first)) == 1
    table = rows(second)
    assert [Path(row["folder"]).parent.name for row in table] == ["search", "other", "other"]
    assert (second.output / "best" / "best.safetensors").is_file()


@pytest.mark.usefixtures("quick")
def test_a_best_model_out_of_reach_is_told(tmp_path: Path) -> None:
    journal = str(tmp_path / "shared.log")
    first = settings(tmp_path, trials=1, storage=journal)
    run_job(search, first)
    (first.output / "trial_0000").rename(tmp_path / "away")
    events: list[Event] = []
    second = first.model_copy(update={"output": tmp_path / "other"})
    run_job(search, second, on_event=events.append)
    assert any(isinstance(e, Message) and "cannot be reached from here" in e.text for e in events)
    assert (second.output / "best.yaml").is_file()


@pytest.mark.usefixtures("quick")
def test_a_locked_database_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    database = tmp_path / "trials.db"
    run_job(search, settings(tmp_path, trials=1, storage=f"sqlite:///{database}"))
    url = f"sqlite:///{database}?timeout=0.01"
    other = sqlite3.connect(database)
    other.execute("BEGIN EXCLUSIVE")
    try:
        config = settings(tmp_path, trials=2, storage=url, output=tmp_path / "late")
        with pytest.raises(InputFileError, match="locked by another program"):
            run_job(search, config)
        (tmp_path / "late.yaml").write_text(
            "\n".join(
                f"{name}: {json.dumps(value)}"
                for name, value in config.model_dump(mode="json").items()
            )
        )
        words = ["pick", "search", "--config", str(tmp_path / "late.yaml"), "--overwrite"]
        assert cli.main(words) == 2
        told = capsys.readouterr().err
        assert "locked by another program" in told.splitlines()[-1]
        assert "Traceback" not in told
    finally:
        other.close()


@pytest.mark.usefixtures("quick")
def test_test_runs_are_scored_once_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from icelens.tasks.pick import search_results

    asked: list[tuple[str, ...]] = []

    def scored(path: Path, config: Any, run: Any, data: Any, split: Any) -> float:
        del path, config, run, data
        asked.append(split.test)
        return 0.125

    monkeypatch.setattr(search_results, "_score_on_tests", scored)
    learnable_project(tmp_path, num_runs=3)
    config = settings(tmp_path, trials=2, trials_here=1, test_runs=("TS_3",))
    run_job(search, config)
    assert asked == []
    run_job(search, config, resume=True)
    assert asked == [("TS_3",)]
    assert "its model scores 0.125" in (config.output / "report.html").read_text()


def test_torchrun_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "num_processes", lambda: 2)
    with pytest.raises(IcelensError, match="same --storage"):
        run_job(search, settings(tmp_path))


def test_a_password_is_warned_of(tmp_path: Path) -> None:
    events: list[Event] = []
    run = module.Run(tmp_path, events.append)
    module._warn_of_password("postgresql://me:secret@host/name", run)
    module._warn_of_password("postgresql://me@host/name", run)
    assert len(events) == 1
    assert "PGPASSWORD" in str(events[0])
    assert "secret" not in str(events[0])


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import time
from searched import settings, train_by_formula
from icelens.jobs.run import run_job
from icelens.tasks.pick import search_trial
from icelens.tasks.pick.search_jobs import search

folder, output, seconds, resume = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]

def slow(config, data, split, run, **_):
    trained = train_by_formula(config, data, split, run)
    print("at work", flush=True)
    time.sleep(seconds)
    return trained

search_trial.train_on = slow
config = settings(folder, trials=6, prune=False, output=folder / output,
                  storage=str(folder / "shared.log"))
run_job(search, config, resume=resume == "yes")
"""


def start(folder: Path, output: str, seconds: float, resume: str = "no") -> subprocess.Popen[str]:
    source = Path(module.__file__).parents[3]
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            WORKER.format(tests=str(Path(__file__).parents[2])),
            str(folder),
            output,
            str(seconds),
            resume,
        ],
        env={**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_share_a_journal(tmp_path: Path) -> None:
    settings(tmp_path)
    with start(tmp_path, "one", 0.3) as one, start(tmp_path, "two", 0.3) as two:
        assert (one.wait(120), two.wait(120)) == (0, 0)
    both = settings(tmp_path, output=tmp_path / "one"), settings(tmp_path, output=tmp_path / "two")
    table = max((rows(config) for config in both), key=len)
    # both may begin a last one at the same moment
    assert 6 <= len(table) <= 7
    assert {Path(row["folder"]).parent.name for row in table} == {"one", "two"}
    assert len({row["learning_rate"] for row in table}) == len(table)


@pytest.mark.slow
def test_a_killed_process_loses_no_trial(tmp_path: Path) -> None:
    settings(tmp_path)
    with start(tmp_path, "one", 60.0) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "at work\n"
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(20) == -signal.SIGKILL
    with start(tmp_path, "one", 0.0, resume="yes") as worker:
        assert worker.wait(120) == 0
    table = rows(settings(tmp_path, output=tmp_path / "one"))
    assert [row["state"] for row in table] == ["fail"] + ["complete"] * 6
    assert table[0]["learning_rate"] == table[1]["learning_rate"]
