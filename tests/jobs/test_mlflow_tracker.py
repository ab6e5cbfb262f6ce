"""MLflow is told settings, metrics and the end; a store that stands in for it keeps the rules."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from toy_job import ToyConfig, toy

from icelens.core.events import Event, Message, Metrics
from icelens.jobs.mlflow_tracker import MANNERS, SEND_SECONDS, MLflow, prepare_mlflow
from icelens.jobs.run import run_job


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No store but the run's folder, and no variable left behind."""
    for name in (*MANNERS, "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


class RefusedError(Exception):
    """What the store raises."""


@dataclass(frozen=True)
class Metric:
    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True)
class Param:
    key: str
    value: str


@dataclass
class StoredRun:
    experiment: str
    name: str
    tags: dict[str, str]
    status: str = "RUNNING"
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    lifecycle_stage: str = "active"


class Store:
    """A client of MLflow that keeps everything in memory and refuses what MLflow refuses."""

    def __init__(self) -> None:
        self.uri = ""
        self.experiments: dict[str, str | None] = {}
        self.runs: dict[str, StoredRun] = {}
        self.requests = 0
        self.is_away = False

    def connect(self, tracking_uri: str) -> "Store":
        self.uri = tracking_uri
        return self

    def get_experiment_by_name(self, name: str) -> SimpleNamespace | None:
        return SimpleNamespace(experiment_id=name) if name in self.experiments else None

    def create_experiment(self, name: str, artifact_location: str | None) -> str:
        self.experiments[name] = artifact_location
        return name

    def create_run(self, experiment: str, tags: dict[str, str], run_name: str) -> SimpleNamespace:
        identifier = f"run{len(self.runs)}"
        self.runs[identifier] = StoredRun(experiment, run_name, dict(tags))
        return self.get_run(identifier)

    def get_run(self, identifier: str) -> SimpleNamespace:
        if identifier not in self.runs:
            raise RefusedError("RESOURCE_DOES_NOT_EXIST")
        run = self.runs[identifier]
        info = SimpleNamespace(run_id=identifier, lifecycle_stage=run.lifecycle_stage)
        return SimpleNamespace(info=info, data=SimpleNamespace(params=run.params))

    def update_run(self, identifier: str, status: str) -> None:
        self.runs[identifier].status = status

    set_terminated = update_run

    def set_tag(self, identifier: str, key: str, value: str) -> None:
        self.runs[identifier].tags[key] = value

    def log_batch(
        self, identifier: str, metrics: list[Metric] = (), params: list[Param] = ()
    ) -> None:
        if self.is_away:
            raise RefusedError("the server is away\nMax retries exceeded")
        assert len(metrics) + len(params) <= 100
        self.requests += 1
        run = self.runs[identifier]
        for param in params:
            if run.params.setdefault(param.key, param.value) != param.value:
                raise RefusedError("Changing param values is not allowed")
            assert len(param.value) <= 500
        run.metrics += metrics


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """MLflow as far as it is used here."""
    kept = Store()
    module = ModuleType("mlflow")
    module.MlflowClient = kept.connect
    module.entities = SimpleNamespace(Metric=Metric, Param=Param)
    module.exceptions = SimpleNamespace(MlflowException=RefusedError)
    module.is_tracking_uri_set = lambda: False
    module.get_tracking_uri = lambda: "http://server"
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return kept


def begin(folder: Path, *, is_resumed: bool = False, **settings: str) -> MLflow:
    return MLflow("pick.train", folder, settings, is_resumed=is_resumed)


def settings(folder: Path, **values: object) -> ToyConfig:
    star = folder / "tomograms.star"
    star.write_text("data_\n")
    return ToyConfig.model_validate({"star": star, "output": folder / "toy", **values})


def test_a_run_is_stored_under_job_and_folder(tmp_path: Path, store: Store) -> None:
    config = settings(tmp_path)
    run_job(toy, config, trackers=["mlflow"])
    (run,) = store.runs.values()
    assert (run.experiment, run.name, run.status) == ("restore.toy", "toy", "FINISHED")
    assert run.params["optimisation.num_steps"] == "3"
    assert [(metric.key, metric.step) for metric in run.metrics] == [("loss", n) for n in range(3)]
    assert store.uri == f"sqlite:///{config.output}/mlflow/mlflow.db"
    assert store.experiments == {"restore.toy": (config.output / "mlflow" / "artifacts").as_uri()}


@pytest.mark.parametrize(
    ("state", "status"), [("done", "FINISHED"), ("stopped", "KILLED"), ("failed", "FAILED")]
)
def test_the_end_is_told(tmp_path: Path, store: Store, state: str, status: str) -> None:
    begin(tmp_path).close(state)
    assert store.runs["run0"].status == status


def test_a_tracking_server_goes_before_the_folder(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["mlflow"], "is_tracking_uri_set", lambda: True)
    begin(tmp_path)
    assert store.uri == "http://server"
    assert store.experiments == {"pick.train": None}, "the server chooses where artifacts go"
    assert not (tmp_path / "mlflow").exists()


def test_resuming_continues_the_run_and_notes_changed_settings(
    tmp_path: Path, store: Store
) -> None:
    first = begin(tmp_path, steps="3", seed="0")
    first.close("stopped")
    again = begin(tmp_path, is_resumed=True, steps="5", seed="0", extra="new")
    assert store.runs["run0"].status == "RUNNING"
    again.log(Metrics(4, {"loss": 1.0}))
    again.close("done")
    (run,) = store.runs.values()
    assert run.params == {"steps": "3", "seed": "0", "extra": "new"}
    assert run.tags["icelens.resumed_with"] == "steps=5"
    assert run.metrics[-1].step == 4


@pytest.mark.parametrize("text", ["", "{", "[]", '{"": "run9"}', "\x00"])
def test_a_run_that_cannot_be_found_again_is_begun_anew(
    tmp_path: Path, store: Store, text: str
) -> None:
    begin(tmp_path)
    (tmp_path / "mlflow.json").write_text(text)
    begin(tmp_path, is_resumed=True)
    assert list(store.runs) == ["run0", "run1"]
    assert json.loads((tmp_path / "mlflow.json").read_text()) == {"": "run1"}


def test_a_run_deleted_in_the_store_is_begun_anew(tmp_path: Path, store: Store) -> None:
    begin(tmp_path)
    store.runs["run0"].lifecycle_stage = "deleted"
    begin(tmp_path, is_resumed=True)
    assert len(store.runs) == 2


def test_parts_nest_below_the_run_and_are_found_again(tmp_path: Path, store: Store) -> None:
    for is_resumed in (False, True):
        tracker = begin(tmp_path, is_resumed=is_resumed)
        tracker.log(Metrics(1, {"loss": 1.0}, part="fold 1"))
        tracker.log(Metrics(1, {"loss": 2.0}, part="fold 2"))
        tracker.close("done")
    whole, first, second = store.runs.values()
    assert "mlflow.parentRunId" not in whole.tags
    assert first.tags["mlflow.parentRunId"] == second.tags["mlflow.parentRunId"] == "run0"
    assert [metric.value for metric in second.metrics] == [2.0, 2.0]
    assert {run.status for run in store.runs.values()} == {"FINISHED"}


def test_metrics_are_sent_together_and_in_batches(tmp_path: Path, store: Store) -> None:
    now = [0.0]
    tracker = MLflow("pick.train", tmp_path, {}, is_resumed=False, clock=lambda: now[0])
    for step in range(250):
        tracker.log(Metrics(step, {"loss": 1.0}))
    assert store.requests == 0
    now[0] = SEND_SECONDS
    tracker.log(Metrics(250, {"loss": 1.0}))
    assert store.requests == 3
    assert len(store.runs["run0"].metrics) == 251
    tracker.close("done")
    assert store.requests == 3


def test_long_settings_are_cut_and_odd_names_are_written_otherwise(
    tmp_path: Path, store: Store
) -> None:
    tracker = begin(tmp_path, **{f"setting_{number}": "x" * 900 for number in range(120)})
    tracker.log(Metrics(1, {"F4@0.5 (virus-like)": 1.0}))
    tracker.close("done")
    run = store.runs["run0"]
    assert len(run.params) == 120
    assert run.metrics[0].key == "F4_0.5 _virus-like_"


def test_two_runs_may_make_the_experiment_at_once(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_was_quicker(name: str, artifact_location: str | None) -> str:
        store.experiments[name] = artifact_location
        raise RefusedError("RESOURCE_ALREADY_EXISTS")

    monkeypatch.setattr(store, "create_experiment", other_was_quicker)
    begin(tmp_path)
    assert store.runs["run0"].experiment == "pick.train"


def test_a_server_that_goes_away_is_told_in_one_line(tmp_path: Path, store: Store) -> None:
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        store.is_away = store.is_away or isinstance(event, Metrics)

    run_job(toy, settings(tmp_path), trackers=["mlflow"], on_event=listen)
    (warning,) = [event for event in heard if isinstance(event, Message) and "mlflow" in event.text]
    assert warning.text.startswith("mlflow: the server is away; the run goes on")


def test_manners_are_set_unless_the_user_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    with monkeypatch.context() as context:
        environment = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "7"}
        context.setattr("os.environ", environment)
        prepare_mlflow()
    assert environment == {**MANNERS, "MLFLOW_HTTP_REQUEST_TIMEOUT": "7"}


@pytest.mark.slow
def test_mlflow_itself_gives_back_what_was_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra [mlflow] is not installed")
    config = settings(tmp_path)
    run_job(toy, config, trackers=["mlflow"])
    run_job(toy, config, resume=True, trackers=["mlflow"])
    assert capfd.readouterr() == ("", ""), "trackers do not print"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{config.output}/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("restore.toy")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("toy", "FINISHED")
    assert run.data.params["optimisation.learning_rate"] == "0.002"
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "loss")]
    assert sorted(steps) == [0, 0, 1, 1, 2, 2]
