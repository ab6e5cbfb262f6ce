"""Tests of jobs/project/settings_paths.py."""

from pathlib import Path
from typing import Any

import pytest

from icelens.jobs.job import Job
from icelens.jobs.project.project import Project
from icelens.jobs.project.settings_paths import job_folder, portable, with_output
from icelens.jobs.registry import all_jobs, find_job


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.name)
def test_every_job_writes_into_a_folder_of_its_own_or_where_it_reads(job: Job[Any, Any]) -> None:
    folder = job_folder(7, job)
    found = with_output(job, {}, folder)
    if "output" not in job.config_type.model_fields:
        assert found == {}
    elif "output" in found:
        assert found["output"] == folder or found["output"].startswith(f"{folder}/")
    else:
        assert job.config_type.model_fields["output"].default is None


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("tools.reconstruct", "map.mrc"),
        ("tools.mask", "mask.mrc"),
        ("hetero.select", "selected.star"),
        ("tools.downsample", "particles.star"),
        ("tools.montage", "montage.png"),
    ],
)
def test_files_get_a_name_with_the_right_ending(name: str, file: str) -> None:
    assert with_output(find_job(name), {}, "jobs/7")["output"] == f"jobs/7/{file}"


def test_a_given_output_stays() -> None:
    job = find_job("restore.mask")
    assert with_output(job, {"output": "mine"}, "jobs/7") == {"output": "mine"}


def test_paths_are_kept_from_the_project_whatever_else_is_wrong(
    project: Project, tmp_path: Path
) -> None:
    job = find_job("restore.predict")
    base = project.folder / "below"
    settings = {"star": "t.star", "checkpoint": str(tmp_path / "net"), "tile_size": "wrong"}
    assert portable(project, job, settings, base) == {
        "star": "below/t.star",
        "checkpoint": str(tmp_path / "net"),
        "tile_size": "wrong",
    }
    assert settings["star"] == "t.star"  # what was given is not changed
