"""Metrics survive kills, resumes and numbers that JSON does not know."""

from pathlib import Path

from icelens.core.events import Metrics
from icelens.jobs.journal import Journal, read_metrics
from icelens.jobs.record import Record


def write(folder: Path, *events: Metrics) -> None:
    with Journal(folder, Record(folder, {"outputs": []})) as journal:
        for event in events:
            journal.listen(event)


def test_step_done_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, Metrics(1, {"loss": 5.0}), Metrics(2, {"loss": 4.0}))
    write(tmp_path, Metrics(2, {"loss": 3.0}), Metrics(3, {"loss": 2.0}))
    assert [row["loss"] for row in read_metrics(tmp_path)] == [5.0, 3.0, 2.0]


def test_line_cut_by_a_kill_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, Metrics(1, {"loss": 5.0}))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    assert len(read_metrics(tmp_path)) == 1


def test_not_a_number_becomes_null(tmp_path: Path) -> None:
    write(tmp_path, Metrics(1, {"loss": float("nan")}))
    assert read_metrics(tmp_path) == [{"step": 1, "loss": None}]


def test_run_without_metrics_leaves_no_file(tmp_path: Path) -> None:
    write(tmp_path)
    assert not (tmp_path / "metrics.jsonl").exists()
