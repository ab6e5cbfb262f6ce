"""A part of a run has metrics and a page of its own, and its words reach the whole run."""

from pathlib import Path

import pytest

from icelens.core.events import Event, Message, Metrics, Progress
from icelens.jobs.journal import read_metrics
from icelens.jobs.parts import part_of
from icelens.jobs.run import Run


def test_words_carry_the_name_and_metrics_are_marked_with_it(tmp_path: Path) -> None:
    heard: list[Event] = []
    whole = Run(tmp_path, heard.append)
    folder = tmp_path / "fold_2"
    with part_of(whole, folder, "fold 2", resume=False) as part:
        part.on_event(Message("hello", "warning"))
        part.on_event(Progress("train", 1, 4))
        part.on_event(Metrics(3, {"loss": 0.5, "odd": float("nan")}))
        part.report.text("a finding")
    *told, metrics = heard
    assert told == [Message("fold 2: hello", "warning"), Progress("fold 2: train", 1, 4)]
    assert isinstance(metrics, Metrics)
    assert metrics.part == "fold 2"  # trackers draw it apart; the whole run's file leaves it out
    assert read_metrics(folder) == [{"step": 3, "loss": 0.5}]
    assert "a finding" in (folder / "report.html").read_text()
    assert whole.report.parts == []


def test_a_resumed_part_keeps_its_metrics(tmp_path: Path) -> None:
    for resume in (False, True, False):
        with part_of(Run(tmp_path), tmp_path / "part", "part", resume=resume) as part:
            assert part.resume is resume
            part.on_event(Metrics(1 + resume, {"loss": 1.0}))
        steps = [row["step"] for row in read_metrics(tmp_path / "part")]
        assert steps == ([1, 2] if resume else [1])


def test_a_listener_can_end_the_part(tmp_path: Path) -> None:
    def end(event: Event) -> None:
        raise InterruptedError

    with (
        pytest.raises(InterruptedError),
        part_of(Run(tmp_path), tmp_path / "part", "part", resume=False, listen=end) as part,
    ):
        part.on_event(Metrics(1, {"loss": 1.0}))
    assert [row["step"] for row in read_metrics(tmp_path / "part")] == [1]
