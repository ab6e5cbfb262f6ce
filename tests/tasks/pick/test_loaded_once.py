"""Tomograms are read from disk once, whatever the number of trainings."""

from pathlib import Path

from learnable_project import learnable_project

from icelens.core.events import Event, Progress, ignore
from icelens.tasks.pick.learning_data import open_data
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.train_settings import PickComputeConfig


def test_the_second_loading_reads_nothing(tmp_path: Path) -> None:
    project = learnable_project(tmp_path, num_runs=2)
    data = open_data(PickComputeConfig(project=(project,)), ignore)
    once = LoadedOnce(data)
    events: list[Event] = []
    first = once.load(["TS_1"], events.append)
    assert any(isinstance(event, Progress) for event in events)
    events.clear()
    assert once.load(("TS_1",), events.append) is first
    assert events == []
    assert [each.name for each in once.load(("TS_1", "TS_2"), ignore)] == ["TS_1", "TS_2"]
    assert once.truth is data.truth
