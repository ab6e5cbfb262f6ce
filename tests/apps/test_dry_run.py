"""A dry run says what a job would cost."""

from pathlib import Path

import pytest
from toy_job import ToyConfig, toy

from icelens.apps.dry_run import describe, size


def test_costs_are_said_and_nothing_is_written(tmp_path: Path) -> None:
    config = ToyConfig(star=tmp_path / "absent.star", output=tmp_path / "toy")
    text = describe(toy, config)
    assert "about 1 min 30 s" in text
    assert "about 1 GB" in text
    assert "absent.star (star) does not exist" in text
    assert "boxes of 96 voxels" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 B"), (3.4e9, "3.4 GB"), (999_600, "1 MB"), (2e13, "20 TB")]
)
def test_sizes_have_the_digits_they_deserve(count: float, text: str) -> None:
    assert size(count) == text
