"""The routes of particle images: what they answer, and what they refuse."""

import json

import numpy as np
import pytest
from hetero_world import BOX, two_states
from latent_runs import work_here
from starlette.testclient import TestClient

from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.project import Project


@pytest.fixture
def file(project: Project, bench: Workbench, client: TestClient) -> str:
    work_here(bench)
    two_states(project.folder / "images", 12)
    return "images/particles.star"


def test_the_page_names_its_file_and_without_one_those_of_the_project(
    client: TestClient, file: str
) -> None:
    assert f'data-file="{file}"' in client.get("/view/particles", params={"file": file}).text
    assert "/view/particles?file=images/particles.star" in client.get("/view/particles").text


def test_an_empty_project_says_so(client: TestClient) -> None:
    assert "No particle files yet" in client.get("/view/particles").text


def test_sheets_columns_and_views_are_binary_with_their_shapes(
    client: TestClient, file: str
) -> None:
    assert client.get("/api/particles", params={"file": file}).json()["count"] == 12
    given = {"file": file, "count": 5, "side": BOX, "sort": "defocus", "flip_phases": True}
    sheet = client.get("/api/particles/montage", params=given)
    assert json.loads(sheet.headers["X-Shape"]) == [5, BOX, BOX]
    assert len(sheet.content) == 5 * BOX**2
    columns = client.get("/api/particles/columns", params={"file": file, "names": "rot,tilt"})
    assert len(columns.content) == 4 * 2 * 12
    views = client.get("/api/particles/views", params={"file": file, "where": "row < 6"})
    density = np.frombuffer(views.content, "<f4").reshape(json.loads(views.headers["X-Shape"]))
    assert np.nanmax(density) > 1.0
    assert json.loads(views.headers["X-Facts"])["count"] == 6


@pytest.mark.parametrize("given", ["/etc/passwd", "../../x.star", "\0"])
def test_files_outside_the_roots_are_refused(client: TestClient, file: str, given: str) -> None:
    for url in ("/api/particles", "/api/particles/montage", "/api/particles/views"):
        assert client.get(url, params={"file": given}).status_code == 403


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("", {"file": "nothing.star"}),
        ("", {"file": "images/images_0.mrcs"}),
        ("/columns", {"names": "nothing"}),
        ("/montage", {"count": 0}),
        ("/montage", {"count": 10**9}),
        ("/montage", {"first": -1}),
        ("/montage", {"side": 100_000}),
        ("/montage", {"low_pass": "nan"}),
        ("/montage", {"contrast": 50}),
        ("/montage", {"sort": "nothing"}),
        ("/montage", {"where": "(lambda: 1)() == 1"}),
        ("/views", {"where": "row > 100"}),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    client: TestClient, file: str, url: str, params: dict
) -> None:
    answer = client.get(f"/api/particles{url}", params={"file": file} | params)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]
