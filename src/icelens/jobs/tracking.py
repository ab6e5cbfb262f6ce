"""Show a run's metrics in TensorBoard or MLflow too; what fails there never ends the run.

Both are extras of the package and are imported only when asked for.
"""

import importlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import Any, Protocol, Self

from icelens.core.errors import IcelensError, StoppedEarly
from icelens.core.events import Event, Message, Metrics, OnEvent
from icelens.jobs.config import Config
from icelens.jobs.job import Job
from icelens.jobs.mlflow_tracker import MLFLOW_RUNS_NAME, MLflow, prepare_mlflow
from icelens.jobs.record import State
from icelens.jobs.registry import did_you_mean
from icelens.jobs.settings import as_text, settings_of, value_at
from icelens.jobs.tensorboard_tracker import TENSORBOARD_NAME, TensorBoard

LEFT_BEHIND = (TENSORBOARD_NAME, MLFLOW_RUNS_NAME)
"""What trackers leave in a run's folder and would continue there."""


class TrackerError(IcelensError):
    """Metrics cannot be tracked as asked; nothing was started."""


class Tracker(Protocol):
    """Takes the metrics of one run; any exception means that it is given up."""

    def log(self, event: Metrics) -> None:
        """Take the numbers of one step."""

    def close(self, state: State) -> None:
        """Store what is left and say how the run ended."""


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told about a run."""

    job: str
    """Name of the job, as in `pick.train`."""
    folder: Path
    """Of the run; it exists."""
    settings: dict[str, str]
    """Every setting by its dotted name, as one would type it."""
    is_resumed: bool
    """Whether what an earlier process tracked is continued."""


@dataclass(frozen=True)
class _Kind:
    modules: tuple[str, ...]
    """Modules without which the tracker cannot work."""
    begin: Callable[[TrackedRun], Tracker]
    remark: str = ""
    """Follows the command that installs it."""
    prepare: Callable[[], None] = lambda: None
    """Called before the modules are imported."""


TRACKERS: dict[str, _Kind] = {
    "tensorboard": _Kind(
        ("tensorboard.compat.proto.event_pb2", "tensorboard.summary.writer.record_writer"),
        lambda run: TensorBoard(run.folder),
    ),
    "mlflow": _Kind(
        ("mlflow",),
        lambda run: MLflow(run.job, run.folder, run.settings, is_resumed=run.is_resumed),
        " (in an environment without copick: the two need different versions of graphql-core)",
        prepare_mlflow,
    ),
}


def check_trackers(job: Job[Any, Any], folder: Path | None, names: Iterable[str]) -> None:
    """Import what the trackers need, so that nothing starts without them.

    Args:
        job: What would be tracked.
        folder: Of the run, if it has one.
        names: Keys of `TRACKERS`.

    Raises:
        TrackerError: If a tracker is unknown or not installed, or the job leaves no folder.
    """
    for name in names:
        if folder is None:
            raise TrackerError(
                f"{job.name}: leaves no folder and has no metrics to track; leave out --track"
            )
        if name not in TRACKERS:
            raise TrackerError(f"--track {name}: no such tracker; {did_you_mean(name, TRACKERS)}")
        _import(name)


def _import(name: str) -> None:
    kind = TRACKERS[name]
    remedy = f"pip install 'icelens[{name}]'{kind.remark}"
    kind.prepare()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they deprecate concerns no user of ours
            for module in kind.modules:
                importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise TrackerError(f"--track {name}: {error.name} is not installed; {remedy}") from error
    except Exception as error:  # protobuf and others refuse a version by errors of many kinds
        raise TrackerError(
            f"--track {name}: cannot be imported ({_cause(error)}); {remedy}"
        ) from error


def tracked_run(
    job: Job[Any, Any], config: Config, folder: Path, *, is_resumed: bool
) -> TrackedRun:
    """What trackers are told about a run; passwords in addresses stay here."""
    settings = settings_of(type(config))
    texts = {setting.key: as_text(value_at(config, setting.path)) for setting in settings}
    public = {key: re.sub(r"(://[^:/@]*):.*@", r"\1:***@", text) for key, text in texts.items()}
    return TrackedRun(job.name, folder, public, is_resumed)


class Tracking:
    """Pass events on, and their metrics to trackers; use as a context manager.

    A tracker that fails is left out from then on and a warning says so, once.
    """

    def __init__(self, names: Iterable[str], run: TrackedRun, on_event: OnEvent) -> None:
        """Track `run` by `names`; `on_event` hears every event before the trackers do."""
        self._names = tuple(dict.fromkeys(names))
        self._run = run
        self._on_event = on_event
        self._trackers: dict[str, Tracker] = {}

    def listen(self, event: Event) -> None:
        """Pass on one event."""
        self._on_event(event)
        if isinstance(event, Metrics):
            for name, tracker in tuple(self._trackers.items()):
                with self._or_without(name):
                    tracker.log(event)

    def __enter__(self) -> Self:
        """Begin with every tracker."""
        for name in self._names:
            with self._or_without(name):
                self._trackers[name] = TRACKERS[name].begin(self._run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell every tracker how the run ended."""
        for name, tracker in tuple(self._trackers.items()):
            with self._or_without(name):
                tracker.close(_state(error))

    @contextmanager
    def _or_without(self, name: str) -> Iterator[None]:
        """Do something with a tracker, or give it up."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a server's failure must not cost a training
            self._trackers.pop(name, None)
            text = f"{name}: {_cause(error)}; the run goes on and is no longer tracked there"
            self._on_event(Message(text, "warning"))


def _state(error: BaseException | None) -> State:
    if error is None:
        return "done"
    return "stopped" if isinstance(error, StoppedEarly | KeyboardInterrupt) else "failed"


def _cause(error: Exception) -> str:
    """The error in one line, without the long tail of those of connections."""
    lines = str(error).strip().splitlines()
    return shorten(lines[0], 200).rstrip(".") if lines else type(error).__name__
