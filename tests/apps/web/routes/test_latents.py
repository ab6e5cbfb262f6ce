"""The explorer's routes: what they answer, and what they refuse."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hetero_runs import two_states
from latent_runs import run_in, work_here
from starlette.testclient import TestClient

from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.project import Project


@pytest.fixture
def run(
    project: Project, bench: Workbench, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> str:
    work_here(bench)
    run_in(project.folder, monkeypatch)
    return "run"


def test_the_page_names_its_run_and_without_one_those_of_the_project(
    client: TestClient, run: str
) -> None:
    assert 'data-run="run"' in client.get("/view/latents?run=run").text
    assert 'href="/view/latents?run=run"' in client.get("/view/latents").text


def test_an_empty_project_says_how_to_get_a_run(client: TestClient) -> None:
    assert "No run with latents yet" in client.get("/view/latents").text


def test_columns_are_binary_with_their_shape(client: TestClient, run: str) -> None:
    facts = client.get("/api/latents", params={"run": run}).json()
    assert facts["count"] == 120
    answer = client.get("/api/latents/columns", params={"run": run, "names": "latent_1,pc_1"})
    shape = json.loads(answer.headers["X-Shape"])
    values = np.frombuffer(answer.content, "<f4").reshape(shape)
    np.testing.assert_allclose(values[0], two_states()[:, 0], rtol=1e-6)


def test_a_click_leads_to_a_volume_and_a_path(client: TestClient, run: str) -> None:
    point = client.get(
        "/api/latents/point", params={"run": run, "anchor": "5@pc_1:0.5,pc_2:-0.25"}
    ).json()
    words = ",".join(map(str, point["latent"]))
    answer = client.get("/api/latents/decode", params={"run": run, "latent": words})
    assert answer.status_code == 200
    assert json.loads(answer.headers["X-Facts"])["vertices"] > 0
    anchors = {"run": run, "way": "direct", "anchor": ["5", "100@pc_1:1"], "count": 4}
    assert len(client.get("/api/latents/path", params=anchors).json()["points"]) == 4


def test_a_selection_volume_and_path_are_saved_in_the_project(
    client: TestClient, run: str, project: Project
) -> None:
    bits = base64.b64encode(np.packbits(np.ones(120, bool), bitorder="little")).decode()
    saved = [
        client.post("/api/latents/selection", json={"run": run, "bits": bits, "name": "all"}),
        client.post("/api/latents/volume", json={"run": run, "latent": [0, 0, 0], "name": "v"}),
        client.post("/api/latents/path", json={"run": run, "latents": [[0, 0, 0]], "name": "p"}),
    ]
    assert [each.status_code for each in saved] == [200, 200, 200]
    files = [each.json()["file"] for each in saved]
    assert files == ["selections/all.star", "volumes/v.mrc", "paths/p.csv"]
    assert all((project.folder / file).is_file() for file in files)
    assert all(each.json()["command"] for each in saved)


@pytest.mark.parametrize(
    "run_given", ["/etc", "../../etc", "a/../../..", "\0", "~root/../../../.."]
)
def test_runs_outside_the_roots_are_refused(client: TestClient, run: str, run_given: str) -> None:
    for url in ("/api/latents", "/api/latents/columns", "/api/latents/decode"):
        params = {"run": run_given, "names": "latent_1", "latent": "1"}
        assert client.get(url, params=params).status_code == 403
    body = {"run": run_given, "latent": [0], "name": "x"}
    assert client.post("/api/latents/volume", json=body).status_code == 403


def test_a_link_out_of_the_roots_is_refused(
    client: TestClient, run: str, project: Project, tmp_path: Path
) -> None:
    (project.folder / "link").symlink_to(tmp_path.parent)
    assert client.get("/api/latents", params={"run": "link"}).status_code == 403
    assert client.get("/api/latents", params={"run": run, "table": "link/x"}).status_code == 403


def test_a_run_whose_particles_lie_outside_the_roots_is_refused(
    client: TestClient, run: str, project: Project
) -> None:
    path = project.folder / run / "hetero.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"particles": ["/etc/passwd"]}))
    answer = client.get("/api/latents", params={"run": run})
    assert answer.status_code == 403
    assert "--root" in answer.json()["error"]


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("/api/latents", {"run": "nothing"}),
        ("/api/latents/columns", {"names": ""}),
        ("/api/latents/columns", {"names": "a,,b"}),
        ("/api/latents/where", {"where": "__import__('os')"}),
        ("/api/latents/where", {"where": "x" * 20_000}),
        ("/api/latents/point", {"anchor": "-1"}),
        ("/api/latents/point", {"anchor": "1@pc_1"}),
        ("/api/latents/point", {"anchor": "1@pc_1:x"}),
        ("/api/latents/point", {"anchor": "1@pc_1:inf"}),
        ("/api/latents/point", {"anchor": "999999999999"}),
        ("/api/latents/decode", {"latent": "a,b,c"}),
        ("/api/latents/decode", {"latent": "1e999,0,0"}),
        ("/api/latents/decode", {"latent": "nan,0,0"}),
        ("/api/latents/decode", {"latent": "0,0,0", "box_size": "-4"}),
        ("/api/latents/decode", {"latent": "0,0,0", "level": "inf"}),
        ("/api/latents/path", {"way": "sideways"}),
        ("/api/latents/path", {"way": "pc", "count": "100000"}),
        ("/api/latents/path", {"way": "direct", "anchor": ["1"] * 101}),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    client: TestClient, run: str, url: str, params: dict
) -> None:
    answer = client.get(url, params={"run": run} | params)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"run": "run", "latent": [0, 0, 0], "name": "../x"},
        {"run": "run", "latent": [0, 0, 0], "name": ""},
        {"run": "run", "latent": [0, 0, 0], "name": "a\0b"},
        {"run": "run", "latent": [1e300, 0, 0], "name": "x"},
        {"run": "run", "latent": [], "name": "x"},
        {"run": "run", "name": "x"},
        [],
    ],
)
def test_what_cannot_be_saved_is_refused(
    client: TestClient, run: str, body: object, project: Project
) -> None:
    assert client.post("/api/latents/volume", json=body).status_code == 422
    assert not list((project.folder / "volumes").glob("*"))
