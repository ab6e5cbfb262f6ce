"""A workbench over an empty project, asked as its own pages ask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps.web.inline_work import work_inline
from starlette.testclient import TestClient
from web_project import fill

from icelens.apps.web.access import Access
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import Workbench, open_workbench
from icelens.jobs.project.project import Project

HOST = "127.0.0.1:8642"


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    return tmp_path / "a project"


@pytest.fixture
def bench(project_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    monkeypatch.chdir(tmp_path)  # undone after the test; the workbench goes to its project
    return open_workbench(project_folder)


@pytest.fixture
def project(bench: Workbench) -> Project:
    return bench.project


@pytest.fixture
def access() -> Access:
    return Access(8642)


@pytest.fixture
def client(bench: Workbench, access: Access) -> Iterator[TestClient]:
    """Has the cookie and the origin of our pages; starts no jobs."""
    app = create_app(bench, access, dispatches=False)
    headers = {"Host": HOST, "Origin": f"http://{HOST}"}
    with TestClient(app, base_url=f"http://{HOST}", headers=headers) as client:
        client.cookies.set(access.cookie, access.token)
        yield client


@pytest.fixture
def filled(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Project:
    """A project with a little of everything, a secret beside it, a pipe, and a link out."""
    work_inline(monkeypatch)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    fill(project, monkeypatch)
    (tmp_path / "secret").write_text("the text of a file outside")
    (project.folder / "link").symlink_to("/etc")
    os.mkfifo(project.folder / "pipe.mrc")
    return project
