"""Trackers see the metrics of a run and can never end it."""

import json
import re
import sys
from pathlib import Path

import pytest
from toy_job import ToyConfig, toy

from icelens.core.errors import StoppedEarly
from icelens.core.events import Event, Message, Metrics
from icelens.jobs import tracking
from icelens.jobs.config import Config
from icelens.jobs.job import job
from icelens.jobs.mlflow_tracker import MANNERS
from icelens.jobs.run import FolderInUseError, Run, resume_command, run_job
from icelens.jobs.tracking import TRACKERS, TrackedRun, TrackerError, Tracking, tracked_run


class Book:
    """A tracker that keeps what it is told, and fails where it is asked to."""

    def __init__(self, run: TrackedRun, fails_at: str = "") -> None:
        self.run, self.fails_at = run, fails_at
        self.logged: list[Metrics] = []
        self.state = ""
        self._fail("begin")

    def log(self, event: Metrics) -> None:
        self._fail("log")
        self.logged.append(event)

    def close(self, state: str) -> None:
        self._fail("close")
        self.state = state

    def _fail(self, where: str) -> None:
        if where == self.fails_at:
            raise ConnectionError("server is away.\n" + "x" * 900)


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> list[Book]:
    """Every tracker that a run opens under the name `book`."""
    opened: list[Book] = []

    def begin(run: TrackedRun) -> Book:
        opened.append(Book(run))
        return opened[-1]

    monkeypatch.setitem(TRACKERS, "book", tracking._Kind((), begin))
    return opened


def failing(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    kind = tracking._Kind((), lambda run: Book(run, where))
    monkeypatch.setitem(TRACKERS, "failing", kind)


def settings(folder: Path, **values: object) -> ToyConfig:
    star = folder / "tomograms.star"
    star.write_text("data_\n")
    return ToyConfig.model_validate({"star": star, "output": folder / "toy", **values})


def test_a_tracker_sees_job_settings_metrics_and_end(tmp_path: Path, books: list[Book]) -> None:
    run_job(toy, settings(tmp_path), trackers=["book", "book"])
    (book,) = books
    assert [event.step for event in book.logged] == [0, 1, 2]
    assert book.state == "done"
    assert (book.run.job, book.run.folder.name, book.run.is_resumed) == (
        "restore.toy",
        "toy",
        False,
    )
    assert book.run.settings["optimisation.learning_rate"] == "0.002"


@pytest.mark.parametrize(
    ("end", "state"), [("bug", "failed"), ("interrupt", "stopped"), ("time", "stopped")]
)
def test_a_tracker_learns_how_the_run_ended(
    tmp_path: Path, books: list[Book], end: str, state: str
) -> None:
    with pytest.raises((ValueError, KeyboardInterrupt, StoppedEarly)):
        run_job(toy, settings(tmp_path, end=end), trackers=["book"])
    assert books[0].state == state


@pytest.mark.parametrize("where", ["begin", "log", "close"])
def test_a_tracker_that_fails_warns_once_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, books: list[Book], where: str
) -> None:
    failing(monkeypatch, where)
    heard: list[Event] = []
    config = settings(tmp_path)
    run_job(toy, config, trackers=["failing", "book"], on_event=heard.append)
    warnings = [
        event.text for event in heard if isinstance(event, Message) and "away" in event.text
    ]
    assert warnings == ["failing: server is away; the run goes on and is no longer tracked there"]
    assert warnings[0] in (config.output / "log.txt").read_text()
    assert len(books[0].logged) == 3, "the other tracker is not disturbed"
    assert json.loads((config.output / "run.json").read_text())["state"] == "done"


def test_an_interruption_within_a_tracker_is_not_swallowed(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    run = tracked_run(toy, settings(tmp_path), tmp_path, is_resumed=False)
    with pytest.raises(KeyboardInterrupt), Tracking((), run, interrupt) as tracked:
        tracked.listen(Metrics(1, {"loss": 1.0}))


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_extra_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in MANNERS:
        monkeypatch.setenv(variable, "set by the user")
    for module in TRACKERS[name].modules:
        monkeypatch.setitem(sys.modules, module, None)
    config = settings(tmp_path)
    remedy = re.escape(f"pip install 'icelens[{name}]'")
    with pytest.raises(TrackerError, match=rf"^--track {name}: {name}.* {remedy}") as caught:
        run_job(toy, config, trackers=[name])
    assert "\n" not in str(caught.value)
    assert not config.output.exists()


def test_a_broken_extra_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_extra.py").write_text("raise TypeError('Descriptors\\ncannot be made')")
    monkeypatch.syspath_prepend(tmp_path)
    kind = tracking._Kind(("broken_extra",), Book)
    monkeypatch.setitem(TRACKERS, "broken", kind)
    with pytest.raises(TrackerError, match=r"cannot be imported \(Descriptors\); pip install"):
        run_job(toy, settings(tmp_path), trackers=["broken"])


def test_an_unknown_tracker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match="did you mean mlflow"):
        run_job(toy, settings(tmp_path), trackers=["mflow"])


def test_a_job_without_a_folder_cannot_be_tracked(books: list[Book]) -> None:
    class AskConfig(Config):
        """Nothing to set."""

    @job("tools.ask")
    def ask(config: AskConfig, run: Run) -> str:
        """Answer."""
        return "answer"

    with pytest.raises(TrackerError, match=r"tools\.ask: leaves no folder"):
        run_job(ask, AskConfig(), trackers=["book"])


def test_a_follower_process_tracks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, books: list[Book]
) -> None:
    monkeypatch.setenv("RANK", "1")
    run_job(toy, settings(tmp_path), trackers=["book"])
    assert books == []


def test_a_resumed_run_is_told_so_and_keeps_what_was_tracked(
    tmp_path: Path, books: list[Book]
) -> None:
    config = settings(tmp_path)
    run_job(toy, config, trackers=["book"])
    (config.output / "tensorboard").mkdir()
    run_job(toy, config, resume=True, trackers=["book"])
    assert books[1].run.is_resumed
    assert (config.output / "tensorboard").exists()


def test_overwrite_sets_aside_what_was_tracked(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    (config.output / "tensorboard").mkdir()
    (config.output / "mlflow.json").write_text("{}")
    with pytest.raises(FolderInUseError):
        run_job(toy, config)
    run_job(toy, config, overwrite=True)
    assert not (config.output / "tensorboard").exists()
    assert (config.output / "tensorboard-1").is_dir()
    assert (config.output / "mlflow-1.json").is_file()


def test_commands_that_repeat_or_continue_a_run_track_too(
    tmp_path: Path, books: list[Book]
) -> None:
    config = settings(tmp_path)
    run_job(toy, config, trackers=["book"])
    record = json.loads((config.output / "run.json").read_text())
    assert record["command"].endswith(" --track book")
    assert resume_command(toy, Path("a b"), ["mlflow"]) == (
        "icelens restore toy --output 'a b' --resume --track mlflow"
    )


def test_passwords_in_addresses_are_not_told(tmp_path: Path) -> None:
    class Store(Config):
        """A database."""

        storage: str
        """Its address."""

    @job("tools.store")
    def store(config: Store, run: Run) -> str:
        """Store."""
        return config.storage

    address = Store(storage="postgresql://me:se:cr@t@host:5432/db")
    told = tracked_run(store, address, tmp_path, is_resumed=False).settings["storage"]
    assert told == "postgresql://me:***@host:5432/db"


def test_metrics_of_a_part_are_tracked_but_not_mixed_with_those_of_the_run(
    tmp_path: Path, books: list[Book]
) -> None:
    class Settings(Config):
        """A folder."""

        output: Path
        """Where."""

    @job("tools.folds")
    def folds(config: Settings, run: Run) -> str:
        """Train two folds."""
        for fold in (1, 2):
            run.on_event(Metrics(1, {"loss": 0.5}, part=f"fold {fold}"))
        return "done"

    run_job(folds, Settings(output=tmp_path / "folds"), trackers=["book"])
    assert [event.part for event in books[0].logged] == ["fold 1", "fold 2"]
    assert not (tmp_path / "folds" / "metrics.jsonl").exists()
