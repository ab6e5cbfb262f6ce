"""Projects opened lately."""

import json

import pytest

from icelens.apps.web.home_view.recent_projects import (
    MOST,
    recent_path,
    recent_projects,
    remember_project,
)
from icelens.jobs.project.project import create_project


@pytest.fixture(autouse=True)
def configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_latest_comes_first_and_each_once(tmp_path):
    a, b = (create_project(tmp_path / name).folder for name in "ab")
    for folder in (a, b, a):
        remember_project(folder)
    assert recent_projects() == [a, b]


def test_projects_that_are_gone_are_left_out(tmp_path):
    remember_project(tmp_path / "gone")
    assert recent_projects() == []


def test_the_list_is_bounded(tmp_path):
    for number in range(MOST + 5):
        remember_project(tmp_path / str(number))
    assert len(json.loads(recent_path().read_text())["projects"]) == MOST


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"projects": 3}', '{"projects": [3, "x", "/a\\u0000b"]}', "[" * 99999]
)
def test_a_damaged_list_counts_as_none_and_is_written_anew(tmp_path, text):
    recent_path().parent.mkdir(parents=True)
    recent_path().write_text(text)
    assert recent_projects() == []
    folder = create_project(tmp_path / "a").folder
    remember_project(folder)
    assert recent_projects() == [folder]


def test_that_it_cannot_be_written_keeps_nobody_from_working(tmp_path):
    (tmp_path / "config").write_text("a file in the way")
    remember_project(tmp_path)
    assert recent_projects() == []
