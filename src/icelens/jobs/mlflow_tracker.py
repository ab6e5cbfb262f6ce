"""Log settings, metrics and the end of a run to MLflow, in the run's folder or on a server."""

import json
import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import icelens
from icelens.core.events import Metrics
from icelens.jobs.record import State, write_json

MLFLOW_NAME = "mlflow"
MLFLOW_RUNS_NAME = "mlflow.json"
SEND_SECONDS = 5.0
"""Metrics are sent together, at most once in this time, so that no step waits for a server."""
LONGEST_VALUE = 500
"""Characters of a parameter or tag that every version of MLflow takes."""
LARGEST_BATCH = 100
"""Entries of one request; MLflow takes 100 parameters and 1000 metrics."""
ENDS: Mapping[State, str] = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
MANNERS = {
    # A training does not report to others on its own; a server that is away holds it up for
    # seconds, not for the minutes of MLflow's defaults.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""MLflow's environment variables, set unless the user has."""


def prepare_mlflow() -> None:
    """Set what MLflow reads when it is imported."""
    for name, value in MANNERS.items():
        os.environ.setdefault(name, value)


class MLflow:
    """A run of MLflow in the experiment named like the job; parts, such as folds, nest below.

    Without `MLFLOW_TRACKING_URI` it is stored in `<folder>/mlflow`. That is an SQLite file because
    MLflow no longer opens stores of plain files. Steps that are done again after a kill appear
    twice, because MLflow forgets nothing; `metrics.jsonl` has them once.
    """

    def __init__(
        self,
        job: str,
        folder: Path,
        settings: Mapping[str, str],
        *,
        is_resumed: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a run, or continue the one that the folder names.

        Raises:
            Exception: Whatever MLflow raises if the store cannot be used.
        """
        import mlflow

        self._mlflow: Any = mlflow
        self._folder = folder.resolve()
        self._clock = clock
        self._sent = clock()
        self._known = _known_runs(folder) if is_resumed else {}
        self._runs: dict[str, str] = {}
        self._waiting: dict[str, list[Any]] = {}
        with _quiet():
            self._client = mlflow.MlflowClient(tracking_uri=self._tracking_uri())
            self._experiment = self._find_experiment(job)
            self._begin("", settings)

    def log(self, event: Metrics) -> None:
        """Take the numbers of one step."""
        if event.part not in self._runs:
            self._begin(event.part, {})
        now = int(time.time() * 1000)
        self._waiting.setdefault(event.part, []).extend(
            self._mlflow.entities.Metric(_allowed(name), float(value), now, event.step)
            for name, value in event.values.items()
        )
        if self._clock() - self._sent >= SEND_SECONDS:
            self._send()

    def close(self, state: State) -> None:
        """Send what is left, and how the run ended."""
        self._send()
        for run in self._runs.values():
            self._client.set_terminated(run, ENDS[state])

    def _tracking_uri(self) -> str:
        if self._mlflow.is_tracking_uri_set():
            return str(self._mlflow.get_tracking_uri())
        store = self._folder / MLFLOW_NAME
        store.mkdir(exist_ok=True)
        return f"sqlite:///{store / 'mlflow.db'}"

    def _find_experiment(self, job: str) -> str:
        found = self._client.get_experiment_by_name(job)
        if found is None:
            own = None if self._mlflow.is_tracking_uri_set() else self._folder / MLFLOW_NAME
            location = own and (own / "artifacts").as_uri()
            try:
                return str(self._client.create_experiment(job, artifact_location=location))
            except self._mlflow.exceptions.MlflowException:
                found = self._client.get_experiment_by_name(job)  # another run was quicker
                if found is None:
                    raise
        return str(found.experiment_id)

    def _begin(self, part: str, settings: Mapping[str, str]) -> None:
        """Open the run of a part, or of the whole under the name ''."""
        earlier = self._earlier_run(part)
        if earlier is not None:
            run = str(earlier.info.run_id)
            self._client.update_run(run, status="RUNNING")
        else:
            tags = {"icelens.version": icelens.__version__, "icelens.folder": str(self._folder)}
            tags |= {"mlflow.parentRunId": self._runs[""]} if part else {}
            name = part or self._folder.name
            run = str(
                self._client.create_run(self._experiment, tags=tags, run_name=name).info.run_id
            )
        self._runs[part] = run
        write_json(self._folder / MLFLOW_RUNS_NAME, {**self._known, **self._runs})
        self._log_settings(run, settings, earlier.data.params if earlier is not None else {})

    def _earlier_run(self, part: str) -> Any:  # noqa: ANN401 - MLflow is optional, so are its types
        """The run an earlier process logged to, unless its store has forgotten it."""
        if part not in self._known:
            return None
        try:
            run = self._client.get_run(self._known[part])
        except self._mlflow.exceptions.MlflowException:
            return None
        return run if run.info.lifecycle_stage == "active" else None

    def _log_settings(
        self, run: str, settings: Mapping[str, str], logged: Mapping[str, str]
    ) -> None:
        """Log settings as parameters; those that a resumed run changed become a tag.

        Parameters are for ever in MLflow, so a changed one would be refused.
        """
        texts = {name: text[:LONGEST_VALUE] for name, text in settings.items()}
        new = [
            self._mlflow.entities.Param(name, text)
            for name, text in texts.items()
            if name not in logged
        ]
        for batch in _batches(new):
            self._client.log_batch(run, params=batch)
        changed = [
            f"{name}={text}" for name, text in texts.items() if logged.get(name, text) != text
        ]
        if changed:
            self._client.set_tag(run, "icelens.resumed_with", ", ".join(changed)[:LONGEST_VALUE])

    def _send(self) -> None:
        for part, metrics in self._waiting.items():
            for batch in _batches(metrics):
                self._client.log_batch(self._runs[part], metrics=batch)
        self._waiting.clear()
        self._sent = self._clock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow from telling on the terminal how it makes its database."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), LARGEST_BATCH):
        yield items[start : start + LARGEST_BATCH]


def _allowed(name: str) -> str:
    """A metric's name with only the characters that MLflow takes."""
    return re.sub(r"[^\w\-./ ]", "_", name)


def _known_runs(folder: Path) -> dict[str, str]:
    """MLflow's identifiers of the runs that earlier processes logged to, by part."""
    try:
        content = json.loads((folder / MLFLOW_RUNS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # a new run of MLflow is begun
    return (
        {str(part): str(run) for part, run in content.items()} if isinstance(content, dict) else {}
    )
