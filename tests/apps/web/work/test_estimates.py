"""Tests of apps/web/work/estimates.py."""

from pathlib import Path

import pytest

from icelens.apps.web.work.estimates import estimate
from icelens.core.errors import IcelensError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_job_is_estimated_beside_what_the_machine_has(tmp_path: Path) -> None:
    settings = {"output": "jobs/1", "shape": [16, 32, 32]}
    data = estimate(str(tmp_path), "simulate.tomograms", settings).data
    assert data["is_known"]
    assert data["seconds"] > 0
    assert data["machine_bytes"] > data["memory_bytes"] > 0
    assert data["free_bytes"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_job_without_estimate_says_so(tmp_path: Path) -> None:
    settings = {"map_1": "a.mrc", "map_2": "b.mrc"}
    assert estimate(str(tmp_path), "tools.fsc", settings).data == {"is_known": False}


def test_inputs_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(IcelensError, match=r"none\.star"):
        estimate(str(tmp_path), "restore.mask", {"star": "none.star"})
