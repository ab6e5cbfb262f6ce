"""Cross-validation from project to ensemble: trained once, resumed, refused."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from learnable_project import TINY, learnable_project

from icelens.apps import cli
from icelens.core.errors import CheckpointError, MetadataError, StoppedEarly
from icelens.core.events import Event, Message
from icelens.jobs.run import run_job
from icelens.tasks.pick import cross_validate as module
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.search_jobs import cross_validate
from icelens.tasks.pick.search_settings import CrossValidateConfig
from icelens.training.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> CrossValidateConfig:
    """Two folds of two runs, trained for a few steps."""
    folder = tmp_path_factory.mktemp("finished")
    config = settings(learnable_project(folder, num_runs=2), folder / "folds")
    run_job(cross_validate, config)
    return config


def settings(project: Path, output: Path, **changes: Any) -> CrossValidateConfig:
    values = {**TINY, "learning_rate": 1e-2, "project": (project,), "output": output}
    return CrossValidateConfig(**{**values, **changes})


def resume(config: CrossValidateConfig, **changes: Any) -> list[Event]:
    events: list[Event] = []
    run_job(cross_validate, config.model_copy(update=changes), resume=True, on_event=events.append)
    return events


def test_all_folds_hold_the_pooled_thresholds(finished: CrossValidateConfig) -> None:
    result = json.loads((finished.output / "cross_validation.json").read_text())
    assert result["thresholds"]
    assert [fold["held_out"] for fold in result["folds"]] == [["TS_1"], ["TS_2"]]
    assert 0 <= result["f_beta_cross_fitted"] <= 1
    for name in ("fold_1", "fold_2"):
        model = read_model(finished.output / name)
        assert model.thresholds == result["thresholds"]
        known = load_checkpoint(finished.output / name).description["thresholds_from"]
        assert known == "out-of-fold picks of 2 folds"


def test_the_last_weights_are_scored_by_default(finished: CrossValidateConfig) -> None:
    assert not (finished.output / "fold_1" / "best.safetensors").exists()
    assert (finished.output / "fold_1" / "last.safetensors").exists()


def test_the_report_tells_of_folds_and_thresholds(finished: CrossValidateConfig) -> None:
    text = (finished.output / "report.html").read_text()
    for words in ("fold_2", "never saw it", "thresholds above are stored", "TS_1"):
        assert words in text
    assert {"precision_recall.png", "thresholds.png", "picks_out_of_fold.png"} <= {
        path.name for path in finished.output.iterdir()
    }


def test_finished_folds_are_not_trained_again(
    finished: CrossValidateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "train_on", lambda *_, **__: pytest.fail("trained again"))
    before = (finished.output / "cross_validation.json").read_text()
    resume(finished)
    assert (finished.output / "cross_validation.json").read_text() == before


def test_other_settings_cannot_join_finished_folds(finished: CrossValidateConfig) -> None:
    with pytest.raises(MetadataError, match="was made with steps = 4, now it is 5"):
        resume(finished, steps=5)


def test_other_runs_cannot_join_finished_folds(finished: CrossValidateConfig) -> None:
    with pytest.raises(MetadataError, match="holds out TS_1, but now TS_2 would be"):
        resume(finished, runs=("TS_2", "TS_1"))


def test_a_stopped_run_keeps_its_folds(
    finished: CrossValidateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(finished.project[0], tmp_path / "folds")
    trained: list[str] = []
    train_on = module.train_on

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if args[3].folder.name == "fold_2" and not trained.count("fold_2"):
            trained.append("fold_2")
            raise KeyboardInterrupt
        trained.append(args[3].folder.name)
        return train_on(*args, **kwargs)

    monkeypatch.setattr(module, "train_on", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(cross_validate, config)
    assert not (config.output / "cross_validation.json").exists()
    resume(config)
    assert trained == ["fold_1", "fold_2", "fold_2"]
    same = [f / "cross_validation.json" for f in (config.output, finished.output)]
    assert same[0].read_text() == same[1].read_text()


def test_the_time_limit_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = learnable_project(tmp_path, num_runs=2)
    left: list[float | None] = []

    def timed(config: Any, *_: Any, **__: Any) -> Any:
        left.append(config.time_limit)
        raise StoppedEarly("step 3")

    monkeypatch.setattr(module, "train_on", timed)
    with pytest.raises(StoppedEarly):
        run_job(cross_validate, settings(project, tmp_path / "folds", time_limit=1.0))
    assert left[0] is not None
    assert 0.5 < left[0] <= 1.0
    clock = iter([0.0, 100.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(StoppedEarly, match="before fold 1; `--resume` continues"):
        module.cross_validate(
            settings(project, tmp_path / "more", time_limit=1.0),
            module.Run(tmp_path / "more"),
        )


def test_begun_anew_nothing_of_the_old_folds_counts(tmp_path: Path) -> None:
    old = tmp_path / "fold_7"
    old.mkdir()
    (old / "held_out.json").touch()
    (old / "last.safetensors").touch()
    (old / "notes.txt").touch()
    module._forget_folds(tmp_path)
    assert [path.name for path in old.iterdir()] == ["notes.txt"]


def test_a_fold_that_lost_its_model_says_so(finished: CrossValidateConfig, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(finished.output, tmp_path / "folds")
    (tmp_path / "folds" / "fold_2" / "last.safetensors").unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        resume(finished, output=tmp_path / "folds")


def test_too_many_folds_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = learnable_project(tmp_path, num_runs=2)
    words = ["--project", str(project), "--output", str(tmp_path / "f"), "--folds", "3"]
    assert cli.main(["pick", "cross-validate", *words]) == 2
    assert "--folds 3: expected 2 to 2" in capsys.readouterr().err
    assert not (tmp_path / "f" / "fold_1").exists()


def test_what_a_fold_says_carries_its_name(finished: CrossValidateConfig) -> None:
    log = (finished.output / "log.txt").read_text()
    assert "fold 2: Training runs: TS_1" in log
    events = resume(finished)
    assert any(isinstance(e, Message) and "cross-fitted" in e.text for e in events)
