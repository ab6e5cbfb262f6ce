"""Trials are always judged on runs they did not learn from."""

from pathlib import Path
from typing import Any

import pytest
from learnable_project import learnable_project

from icelens.core.errors import MetadataError
from icelens.core.events import ignore
from icelens.tasks.pick.learning_data import open_data
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.search_split import split_of
from icelens.tasks.pick.splits import Split


def split(project: Path, **changes: Any) -> Split:
    config = SearchConfig(project=(project,), output=Path("out"), **changes)
    return split_of(config, open_data(config, ignore))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_project(tmp_path_factory.mktemp("project"), num_runs=4)


def test_a_quarter_is_drawn_where_no_runs_are_named(project: Path) -> None:
    drawn = split(project)
    assert (len(drawn.train), len(drawn.validation), drawn.test) == (3, 1, ())
    assert split(project) == drawn
    assert {split(project, seed=seed).validation for seed in range(9)} != {drawn.validation}


def test_test_runs_are_kept_out(project: Path) -> None:
    drawn = split(project, test_runs=("TS_2",))
    assert drawn.test == ("TS_2",)
    assert "TS_2" not in (*drawn.train, *drawn.validation)
    assert len(drawn.train) == 2


def test_named_runs_are_heeded(project: Path) -> None:
    assert split(project, train_runs=("TS_1", "TS_2")).validation == ("TS_3", "TS_4")
    named = split(project, validation_runs=("TS_3",), test_runs=("TS_1",))
    assert named == Split(("TS_2", "TS_4"), ("TS_3",), ("TS_1",))
    assert len(split(project, split=(0.5, 0.25, 0.25)).test) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"train_runs": ("TS_1", "TS_2", "TS_3", "TS_4")},
        {"test_runs": ("TS_1", "TS_2", "TS_3")},
        {"split": (1.0,)},
    ],
)
def test_without_judges_there_is_no_search(project: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(MetadataError, match="judge"):
        split(project, **changes)
