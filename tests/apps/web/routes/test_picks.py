"""Tests of apps/web/routes/picks.py."""

import json

import numpy as np
import pytest
from apps.web.inline_work import work_inline

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.config import new_project_content, write_project_file
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.picks import write_picks_csv
from icelens.core.io.volumes import write_volume

SHAPE = (10, 20, 30)
VALUES = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


@pytest.fixture(autouse=True)
def _inline(monkeypatch):
    work_inline(monkeypatch)


@pytest.fixture
def copick(project):
    """A project named `my picks.json` with one run, below the roots."""
    folder = project.folder
    content = new_project_content(
        "p", [PickableObject("a", 1, 20.0)], overlay_root=folder / "root", static_root=None
    )
    write_project_file(folder / "my picks.json", content)
    opened = open_project(folder / "my picks.json")
    opened.write_tomogram("TS_01", Volume(VALUES, 5.0), "wbp")
    picks = Picks(np.asarray([[10.0, 20.0, 30.0]]), score=np.asarray([0.5]))
    opened.write_picks("TS_01", PicksKey("a", Source("icelens", "1")), picks)
    return "my picks.json"


def facts_of(answer):
    return json.loads(answer.headers["X-Shape"])


def test_the_page_brings_its_own_scripts_and_styles_only(client):
    text = client.get("/view/picks").text
    assert "js/pages/view_picks.js" in text
    assert "style=" not in text


def test_from_a_project_to_a_new_session(client, copick):
    asked = {"project": copick, "run": "TS_01"}
    assert client.get("/api/picks/project", params=asked).json()["runs"] == ["TS_01"]
    run = client.get("/api/picks/run", params=asked).json()
    volume = run["tomograms"][0]["file"]
    assert volume.startswith("root/ExperimentRuns/TS_01/")
    assert client.get("/api/volumes/header", params={"file": volume}).json()["pixel_size"] == 5.0
    found = client.get("/api/picks/session", params=asked | {"source": run["sources"][0]["source"]})
    assert np.frombuffer(found.content, "<f4").tolist() == [10.0, 20.0, 30.0, 0.5, 0.0]
    edits = {"version": facts_of(found)["version"], "added": [["a", 5.0, 6.0, 7.0]]}
    body = asked | {
        "source": "icelens,1",
        "volume": volume,
        "user": "me",
        "session": "1",
        "edits": edits,
    }
    saved = client.post("/api/picks/sessions", json=body)
    assert saved.json() == {"source": "me,1", "file": "", "counts": {"a": 2}}
    again = client.post("/api/picks/sessions", json=body)
    assert again.status_code == 422
    assert "choose another session" in again.json()["error"]


def test_picks_of_a_file_are_saved_beside_it(client, project):
    write_volume(project.folder / "TS_01.mrc", Volume(VALUES, 5.0))
    write_picks_csv(project.folder / "a.csv", Picks(np.asarray([[10.0, 20.0, 30.0]])))
    found = client.get("/api/picks/file", params={"picks": "a.csv", "volume": "TS_01.mrc"})
    edits = {"version": facts_of(found)["version"], "deleted": [0]}
    body = {"picks": "a.csv", "volume": "TS_01.mrc", "edits": edits}
    assert client.post("/api/picks/files", json=body).json()["file"] == "a_edited_1.csv"


def test_a_pick_on_the_brightest_voxel_of_a_particle_counts_to_that_voxel(client, project):
    particle = np.zeros(SHAPE, np.float32)
    particle[4, 11, 17] = 1.0
    write_volume(project.folder / "TS_01.mrc", Volume(particle, 5.0))
    write_picks_csv(project.folder / "a.csv", Picks(5.0 * np.asarray([[4.0, 11.0, 17.0]])))
    found = client.get("/api/picks/file", params={"picks": "a.csv", "volume": "TS_01.mrc"})
    z, y, x = (np.frombuffer(found.content, "<f4")[:3] / 5.0).round().astype(int).tolist()
    plane = client.get("/api/volumes/slice", params={"file": "TS_01.mrc", "axis": "z", "index": z})
    codes = np.frombuffer(plane.content, "<u2").reshape(20, 30)
    assert np.unravel_index(codes.argmax(), codes.shape) == (y, x)


def test_projects_on_other_machines_are_not_asked_for(client, project):
    content = {"config_type": "filesystem", "pickable_objects": [], "overlay_root": "s3://bucket/x"}
    write_project_file(project.folder / "p.json", content)
    answer = client.get("/api/picks/project", params={"project": "p.json"})
    assert answer.status_code == 422
    assert "another machine" in answer.json()["error"]


def test_a_project_that_points_outside_the_roots_is_refused(client, project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    elsewhere = str(tmp_path / "elsewhere")
    for roots in (
        {"overlay_root": elsewhere},
        {"overlay_root": "root", "static_root": elsewhere},
    ):
        content = {"config_type": "filesystem", "pickable_objects": []} | roots
        write_project_file(project.folder / "p.json", content)
        answer = client.get("/api/picks/project", params={"project": "p.json"})
        assert answer.status_code == 403
    assert client.get("/api/picks/project", params={"project": ".."}).status_code == 403


@pytest.mark.parametrize(
    "edits",
    [
        {},
        {"version": "x", "added": [["a", 1.0, 2.0]]},
        {"version": "x", "added": [["a", "nan", 2.0, 3.0]]},
        {"version": "x", "added": [["", 1.0, 2.0, 3.0]]},
        {"version": "x", "deleted": [-1]},
        {"version": "x", "moved": [[0, 1e300, 0.0, 0.0]]},
        {"version": "x" * 100},
    ],
)
def test_edits_that_make_no_sense_are_refused_before_anything_is_read(client, edits):
    body = {"picks": "a.csv", "volume": "b.mrc", "edits": edits}
    assert client.post("/api/picks/files", json=body).status_code == 422


def test_nothing_is_saved_outside_the_roots(client, project, tmp_path):
    write_volume(project.folder / "TS_01.mrc", Volume(VALUES, 5.0))
    write_picks_csv(tmp_path / "a.csv", Picks(np.asarray([[10.0, 20.0, 30.0]])))
    (project.folder / "link.csv").symlink_to(tmp_path / "a.csv")
    for path in ("../a.csv", "link.csv"):
        body = {"picks": path, "volume": "TS_01.mrc", "edits": {"version": "x"}}
        assert client.post("/api/picks/files", json=body).status_code == 403
