"""A run leaves a true record however it ends."""

import hashlib
import json
import multiprocessing
from pathlib import Path

import pytest
from pydantic import Field
from toy_job import ToyConfig, toy

from icelens.core.errors import GeometryError, RunLockedError, StoppedEarly
from icelens.core.events import Event
from icelens.jobs.config import OUTPUT_FILE, OUTPUT_SHARED, Config
from icelens.jobs.job import job
from icelens.jobs.lock import locked_folder
from icelens.jobs.record import KILLED, read_record
from icelens.jobs.run import FolderInUseError, Run, run_job


def settings(folder: Path, **values: object) -> ToyConfig:
    star = folder / "tomograms.star"
    star.write_text("data_\n")
    return ToyConfig.model_validate({"star": star, "output": folder / "toy", **values})


def recorded(config: ToyConfig) -> dict[str, object]:
    return json.loads((config.output / "run.json").read_text())


def test_run_leaves_record_log_metrics_and_report(tmp_path: Path) -> None:
    config = settings(tmp_path)
    result = run_job(toy, config)
    record = recorded(config)
    assert result.read_text() == "new"
    assert record["state"] == "done"
    assert record["job"] == "restore.toy"
    assert ToyConfig.model_validate(record["config"]) == config
    assert record["outputs"] == [{"path": "result.txt", "kind": "text"}]
    assert record["progress"] == {"stage": "train", "done": 3, "total": 3}
    assert "half way" in (config.output / "log.txt").read_text()
    assert len((config.output / "metrics.jsonl").read_text().splitlines()) == 3
    report = (config.output / "report.html").read_text()
    assert "&lt;score&gt;" in report, "text is escaped"
    assert "liu2022isonet" in report


def test_inputs_are_recorded_with_their_hash(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    (entry,) = recorded(config)["inputs"]
    assert entry["sha256"] == hashlib.sha256(b"data_\n").hexdigest()
    assert (entry["setting"], entry["size"]) == ("star", 6)


@pytest.mark.parametrize(
    ("end", "error", "state", "cause"),
    [
        ("bug", ValueError, "failed", "ValueError: boom"),
        ("mistake", GeometryError, "failed", "a.mrc: not cubic"),
        ("interrupt", KeyboardInterrupt, "stopped", "interrupted by the user"),
        ("time", StoppedEarly, "stopped", "the time limit of 1 minute was reached"),
    ],
)
def test_record_names_the_cause(
    tmp_path: Path, end: str, error: type[BaseException], state: str, cause: str
) -> None:
    config = settings(tmp_path, end=end)
    with pytest.raises(error):
        run_job(toy, config)
    record = recorded(config)
    assert (record["state"], record["cause"]) == (state, cause)
    assert cause in (config.output / "report.html").read_text()
    has_traceback = "Traceback" in (config.output / "log.txt").read_text()
    assert has_traceback == (end == "bug"), "only a bug deserves a traceback"


def test_second_training_in_a_folder_is_refused(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    with pytest.raises(FolderInUseError, match=r"--resume .* --overwrite"):
        run_job(toy, config)


def test_resume_keeps_metrics_and_history(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    assert run_job(toy, config, resume=True).read_text() == "resumed"
    assert (config.output / "run-1.json").exists()
    assert len((config.output / "metrics.jsonl").read_text().splitlines()) == 6


def test_overwrite_gives_up_checkpoints_and_sets_metrics_aside(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    (config.output / "state.safetensors").write_bytes(b"old")
    assert run_job(toy, config, overwrite=True).read_text() == "new"
    assert not (config.output / "state.safetensors").exists()
    assert (config.output / "metrics-1.jsonl").exists()
    assert len((config.output / "metrics.jsonl").read_text().splitlines()) == 3


def test_killed_run_is_not_remembered_as_running(tmp_path: Path) -> None:
    config = settings(tmp_path)
    run_job(toy, config)
    record = recorded(config) | {"state": "running"}
    (config.output / "run.json").write_text(json.dumps(record))
    run_job(toy, config, resume=True)
    killed = json.loads((config.output / "run-1.json").read_text())
    assert (killed["state"], killed["cause"]) == ("stopped", KILLED)


def test_run_of_another_job_cannot_be_resumed(tmp_path: Path) -> None:
    config = settings(tmp_path)
    config.output.mkdir()
    (config.output / "run.json").write_text('{"job": "restore.other", "config": {}}')
    with pytest.raises(FolderInUseError, match=r"restore\.other"):
        run_job(toy, config, resume=True)


def hold(folder: Path, held: "multiprocessing.Event", release: "multiprocessing.Event") -> None:
    with locked_folder(folder):
        held.set()
        release.wait(30)


def test_two_processes_cannot_use_one_folder(tmp_path: Path) -> None:
    config = settings(tmp_path)
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    process = context.Process(target=hold, args=(config.output, held, release))
    process.start()
    try:
        assert held.wait(30)
        with pytest.raises(RunLockedError, match=f"process {process.pid}"):
            run_job(toy, config)
        assert read_record(config.output) is None, "the loser writes nothing"
    finally:
        release.set()
        process.join()
    run_job(toy, config)


def test_follower_process_writes_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    config = settings(tmp_path)
    run_job(toy, config)
    assert [path.name for path in config.output.iterdir()] == ["result.txt"]


def test_job_without_output_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class AskConfig(Config):
        """Nothing to set."""

    @job("tools.ask")
    def ask(config: AskConfig, run: Run) -> str:
        """Answer."""
        (run.folder / "scratch").write_text("x")
        return "answer"

    monkeypatch.chdir(tmp_path)
    assert run_job(ask, AskConfig()) == "answer"
    assert list(tmp_path.iterdir()) == []


def test_job_whose_output_is_a_file_writes_only_that(tmp_path: Path) -> None:
    class Settings(Config):
        """A file to write."""

        output: Path = Field(json_schema_extra=OUTPUT_FILE)
        """Where."""

    def write(config: Settings, run: Run) -> Path:
        """Write a file."""
        assert run.folder != config.output
        config.output.write_text("done")
        return config.output

    write.__annotations__.update(config=Settings, run=Run)
    assert run_job(job("tools.write")(write), Settings(output=tmp_path / "a.txt")).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


class SharedConfig(Config):
    """A folder that several processes work in."""

    output: Path = Field(json_schema_extra=OUTPUT_SHARED)
    """Where."""


@job("tools.share")
def share(config: SharedConfig, run: Run) -> Path:
    """Leave a word."""
    (config.output / "words").mkdir(exist_ok=True)
    path = config.output / "words" / run.folder.name
    path.write_text("x")
    return path


def share_once_more(folder: Path) -> None:
    run_job(share, SharedConfig(output=folder))


def test_processes_of_a_shared_output_have_their_runs_below_it(tmp_path: Path) -> None:
    own = run_job(share, SharedConfig(output=tmp_path)).name
    process = multiprocessing.get_context("fork").Process(target=share_once_more, args=(tmp_path,))
    process.start()
    process.join()
    words = {path.name for path in (tmp_path / "words").iterdir()}
    assert len(words) == 2
    assert own in words
    for name in words:
        assert read_record(tmp_path / "workers" / name)["state"] == "done"
    assert read_record(tmp_path) is None


def test_events_reach_the_listener_after_the_record(tmp_path: Path) -> None:
    heard: list[Event] = []
    run_job(toy, settings(tmp_path), on_event=heard.append)
    assert [type(event).__name__ for event in heard[:2]] == ["Progress", "Metrics"]
    assert len(heard) == 8
