"""Open another project."""

import pytest

from icelens.jobs.project.project import create_project


@pytest.fixture(autouse=True)
def configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_a_project_below_the_roots_is_opened_or_made_and_the_way_back_stays_open(client, project):
    first = str(project.folder)
    answer = client.post("/api/project", json={"folder": "inner project"})
    assert answer.json()["folder"] == f"{first}/inner project"
    assert client.get("/api/project").json()["name"] == "inner project"
    assert first in client.get("/projects").text
    assert client.post("/api/project", json={"folder": first}).json()["folder"] == first


@pytest.mark.parametrize("folder", ["/etc", "..", "../other", "a\0b"])
def test_folders_outside_the_roots_are_refused(client, project, folder):
    answer = client.post("/api/project", json={"folder": folder})
    assert answer.status_code == 403
    assert client.get("/api/project").json()["folder"] == str(project.folder)


def test_a_link_out_of_the_roots_is_refused(client, project, tmp_path):
    (project.folder / "link").symlink_to(tmp_path)
    assert client.post("/api/project", json={"folder": "link"}).status_code == 403


def test_a_file_is_no_folder(client, project):
    (project.folder / "file").touch()
    for folder in ("file", "file/below"):
        assert client.post("/api/project", json={"folder": folder}).status_code == 422
    assert client.get("/api/project").json()["folder"] == str(project.folder)


def test_projects_out_of_sight_are_listed_with_their_command(client, tmp_path):
    from icelens.apps.web.home_view.recent_projects import remember_project

    remember_project(create_project(tmp_path / "far $(away)").folder)
    text = client.get("/projects").text
    assert "icelens serve &#39;" in text
    assert "far $(away)" in text
