"""Tests of apps/web/routes/lists.py."""

from pathlib import Path

from starlette.testclient import TestClient

from icelens.apps.web.workbench import Workbench


def test_lanes_are_told(client: TestClient) -> None:
    answer = client.get("/api/lanes").json()
    assert answer["lanes"][0]["name"] == "cpu"
    assert [lane["is_default"] for lane in answer["lanes"]].count(True) == 1


def test_results_that_fit_are_told(client: TestClient, bench: Workbench) -> None:
    bench.queue.submit("restore.prepare", {"star": "list.star", "full": "."})
    found = client.get("/api/results", params={"kind": "tomograms,nonsense"}).json()["results"]
    assert [(each["path"], each["exists"]) for each in found] == [("list.star", False)]
    assert client.get("/api/results", params={"job": 44}).status_code == 404


def test_presets_are_kept_listed_and_removed(client: TestClient, project_folder: Path) -> None:
    url = "/api/presets/restore.refine"
    body = {"values": {"epochs": "3", "star": "a.star"}}
    assert client.put(f"{url}/quick look", json=body).status_code == 200
    assert client.get(url).json()["presets"][0]["values"] == {"epochs": "3"}
    assert (project_folder / "presets" / "restore.refine" / "quick look.yaml").is_file()
    assert client.delete(f"{url}/quick look").json() == {"presets": []}
    assert client.delete(f"{url}/quick look").status_code == 422


def test_presets_cannot_lead_out_or_be_of_no_job(client: TestClient, tmp_path: Path) -> None:
    body = {"values": {}}
    assert client.put("/api/presets/restore.refine/..%2F..%2Fevil", json=body).status_code >= 400
    assert client.put("/api/presets/..%2Fx/evil", json=body).status_code >= 400
    assert client.put("/api/presets/no.job/evil", json=body).status_code == 404
    assert not list(tmp_path.glob("**/evil*"))


def test_settings_are_read_from_a_file_below_the_roots(
    client: TestClient, project_folder: Path
) -> None:
    (project_folder / "s.yaml").write_text("epochs: 3\n")
    question = {"job": "restore.refine", "file": "s.yaml"}
    answer = client.post("/api/ask/settings", json=question)
    assert answer.json() == {"values": {"epochs": "3"}}
    question["file"] = "/etc/passwd"
    assert client.post("/api/ask/settings", json=question).status_code == 403
