"""Scores are compared only if they were made alike; the machine may differ."""

from pathlib import Path

import pytest

from icelens.core.errors import MetadataError
from icelens.tasks.pick.same_settings import comparable_settings, refuse_other_settings
from icelens.tasks.pick.search_settings import SearchConfig


def settings(**values: object) -> dict[str, object]:
    config = SearchConfig.model_validate({"project": ["p.json"], "output": "out", **values})
    return comparable_settings(config, ["ribosome"], leave_out={"trials"})


def test_machine_and_number_of_trials_may_differ() -> None:
    other = settings(device="cpu", threads=3, output="elsewhere", trials=7, project=["q.json"])
    assert other == settings()
    refuse_other_settings("study", other, settings())


def test_another_length_is_refused_by_name() -> None:
    with pytest.raises(MetadataError, match="study: was made with steps = 5, now it is 600"):
        refuse_other_settings("study", settings(steps=5), settings())


def test_other_classes_are_refused() -> None:
    config = SearchConfig(project=(Path("p.json"),), output=Path("out"))
    other = comparable_settings(config, ["apoferritin"], leave_out={"trials"})
    with pytest.raises(MetadataError, match="classes"):
        refuse_other_settings("study", other, settings())
