"""Tests of apps/web/forms/presets.py."""

from pathlib import Path

import pytest

from icelens.apps.arguments import parse
from icelens.apps.web.forms.presets import (
    PresetError,
    delete_preset,
    presets_of,
    save_preset,
    settings_in,
)
from icelens.core.errors import IcelensError
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.registry import find_job

JOB = find_job("restore.refine")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create_project(tmp_path)


def test_a_preset_comes_back_without_inputs_and_output(project: Project) -> None:
    save_preset(project, JOB, "quick look", {"epochs": 3, "star": "a.star", "output": "x"})
    found = presets_of(project, JOB)
    assert [(each.name, each.values, each.problem) for each in found] == [
        ("quick look", {"epochs": "3"}, "")
    ]


def test_the_command_line_takes_a_preset(project: Project) -> None:
    save_preset(project, JOB, "quick", {"epochs": 3})
    path = project.folder / "presets" / "restore.refine" / "quick.yaml"
    config = parse(JOB, ["--config", str(path), "--star", "a.star"]).config
    assert config.model_dump()["epochs"] == 3


def test_a_preset_can_be_removed(project: Project) -> None:
    save_preset(project, JOB, "quick", {})
    delete_preset(project, JOB, "quick")
    assert presets_of(project, JOB) == []
    with pytest.raises(PresetError, match="no such preset"):
        delete_preset(project, JOB, "quick")


@pytest.mark.parametrize("name", ["", ".x", "../x", "a/b", "a\nb", "x" * 61, "a\0"])
def test_names_that_lead_elsewhere_are_refused(project: Project, name: str) -> None:
    with pytest.raises(PresetError, match="no name for a preset"):
        save_preset(project, JOB, name, {})


@pytest.mark.parametrize("text", ["{", "[1, 2]", "a: 2020-13-45", "[" * 3000])
def test_a_file_that_is_no_settings_is_told_as_such(project: Project, text: str) -> None:
    folder = project.folder / "presets" / "restore.refine"
    folder.mkdir(parents=True)
    (folder / "bad.yaml").write_text(text)
    assert presets_of(project, JOB)[0].problem
    with pytest.raises(IcelensError):
        settings_in(folder / "bad.yaml", JOB)


def test_a_huge_file_is_not_read(project: Project) -> None:
    path = project.folder / "big.yaml"
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(IcelensError, match="too large"):
        settings_in(path, JOB)
    with pytest.raises(IcelensError, match="cannot be read"):
        settings_in(project.folder / "none.yaml", JOB)
