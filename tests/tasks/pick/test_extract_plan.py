"""What is cut is decided before anything is."""

from pathlib import Path

import pytest
from exchange_project import SOURCE, make_project

from icelens.core.errors import MetadataError
from icelens.core.events import Event
from icelens.core.io.copick.project import open_project
from icelens.jobs.run import Run
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.extract_plan import plan


def planned(folder: Path, **settings: object) -> list[tuple[str, int]]:
    events: list[Event] = []
    path = make_project(folder)
    values = {"project": path, "picks": SOURCE, "box_size": 16, **settings}
    config = ExtractConfig.model_validate(values)
    sources = plan(open_project(path), config, Run(folder, events.append))
    return [(source.run, len(source.picks)) for source in sources]


def test_every_run_has_its_picks(tmp_path: Path) -> None:
    assert planned(tmp_path) == [("TS_1", 5), ("TS_2", 4)]


def test_boxes_larger_than_the_tomogram_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="no box of 300 voxels around 9 picks"):
        planned(tmp_path, box_size=300)
