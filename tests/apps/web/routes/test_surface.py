"""Tests of apps/web/routes/surface.py."""

import json

import numpy as np
import pytest
from apps.web.inline_work import work_inline

from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume

NAME = "eine Karte ä.mrc"


@pytest.fixture(autouse=True)
def _inline(monkeypatch):
    work_inline(monkeypatch)


@pytest.fixture
def blob(project):
    z, y, x = np.indices((16, 16, 16)) - 8
    values = np.exp(-(z * z + y * y + x * x) / 18.0).astype(np.float32)
    write_volume(project.folder / NAME, Volume(values, 3.0))


def get(client, what, **query):
    return client.get(f"/api/surface/{what}", params={"file": NAME} | query)


def test_the_page_brings_its_own_scripts_and_styles_only(client):
    text = client.get("/view/surface").text
    assert "js/pages/view_surface.js" in text
    assert "style=" not in text


def test_facts_and_mesh_belong_together(client, blob):
    facts = get(client, "facts").json()
    assert facts["name"] == NAME
    answer = get(client, "mesh", level=facts["level"], colour=NAME)
    told = json.loads(answer.headers["X-Shape"])
    assert len(answer.content) == told["vertices"] * 28 + told["triangles"] * 12
    assert told["level"] == facts["level"]
    assert told["colour"]["low"] <= told["colour"]["high"]


def test_the_server_draws_for_browsers_that_cannot(client, blob):
    answer = get(client, "picture", size=64)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "query",
    [
        {"level": "nan"},
        {"level": "inf"},
        {"box": 10_000},
        {"colour": "not there.mrc"},
        {"level": "1e99"},
    ],
)
def test_impossible_wishes_are_refused_in_one_line(client, blob, query):
    answer = get(client, "mesh", **query)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


def test_colours_from_outside_the_roots_are_refused(client, blob, tmp_path):
    write_volume(tmp_path / "secret.mrc", Volume(np.zeros((2, 2, 2), np.float32), 3.0))
    assert get(client, "mesh", colour="../secret.mrc").status_code == 403
    assert client.get("/api/surface/facts", params={"file": "/etc/passwd"}).status_code == 403


def test_maps_without_a_surface_are_told_in_one_line(client, project):
    for values in (np.full((1, 1, 1), 3.0), np.full((4, 4, 4), np.nan)):
        write_volume(project.folder / NAME, Volume(values.astype(np.float32), 3.0))
        for what in ("facts", "mesh", "picture"):
            answer = get(client, what)
            assert answer.status_code == 422
            assert NAME in answer.json()["error"]
    (project.folder / NAME).write_bytes(b"")
    assert get(client, "mesh").status_code == 422
