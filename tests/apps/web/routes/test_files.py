"""Tests of apps/web/routes/files.py."""

from pathlib import Path

import numpy as np
import pytest
from apps.web.direct_worker import DirectWorkers
from starlette.testclient import TestClient

from icelens.apps.web.workbench import Workbench
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume


@pytest.fixture(autouse=True)
def _direct(bench: Workbench) -> None:
    bench.worker = DirectWorkers()


def test_a_folder_is_listed_with_the_places_to_begin_at(
    client: TestClient, project_folder: Path
) -> None:
    (project_folder / "a.star").touch()
    answer = client.get("/api/files", params={"kind": "tomograms,odd"}).json()
    assert "a.star" in [entry["name"] for entry in answer["listing"]["entries"]]
    assert "icelens.db" not in [entry["name"] for entry in answer["listing"]["entries"]]
    assert answer["roots"] == [["a project", "."]]


@pytest.mark.parametrize("text", ["/etc", "../..", "link", "link/passwd", "~/../../etc"])
@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/api/files", "folder"), ("/api/files/about", "file"), ("/files/raw", "file"),
        ("/files/thumbnail", "file"),
    ],
)  # fmt: skip
def test_nothing_outside_the_roots_is_shown(
    client: TestClient, project_folder: Path, text: str, route: str, name: str
) -> None:
    (project_folder / "link").symlink_to("/etc")
    assert client.get(route, params={name: text}).status_code in (403, 404, 422)
    assert "root:" not in client.get(route, params={name: text}).text


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 5000, "missing.star", "💥", "%00"])
@pytest.mark.parametrize("route", ["/api/files/about", "/files/raw", "/files/thumbnail"])
def test_odd_paths_are_refused(client: TestClient, text: str, route: str) -> None:
    assert 400 <= client.get(route, params={"file": text}).status_code < 500


def test_a_volume_is_described_and_pictured(
    client: TestClient, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.zeros((4, 6, 8), np.float32)
    write_volume(project_folder / "ä b.mrc", Volume(array, 10.0))
    about = client.get("/api/files/about", params={"file": "ä b.mrc"}).json()
    assert about["shape"] == [4, 6, 8]
    answer = client.get("/files/thumbnail", params={"file": "ä b.mrc", "size": 64})
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")

    async def fails(self: DirectWorkers, function: str, **arguments: object) -> None:
        raise AssertionError(function)

    monkeypatch.setattr(DirectWorkers, "call", fails)
    again = client.get("/files/thumbnail", params={"file": "ä b.mrc", "size": 64})
    assert again.content == answer.content


def test_files_are_shown_only_as_what_cannot_act(client: TestClient, project_folder: Path) -> None:
    for name in ("a.svg", "a.html", "a.js", "a.csv", "a.png"):
        (project_folder / name).write_text("<script>alert(1)</script>")
    kinds = {}
    for name in ("a.svg", "a.html", "a.js", "a.csv", "a.png"):
        answer = client.get("/files/raw", params={"file": name})
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        disposition = answer.headers["content-disposition"].partition(";")[0]
        kinds[name] = (answer.headers["content-type"].partition(";")[0], disposition)
    assert kinds == {
        "a.svg": ("image/svg+xml", "inline"),
        "a.html": ("application/octet-stream", "attachment"),
        "a.js": ("application/octet-stream", "attachment"),
        "a.csv": ("text/plain", "inline"),
        "a.png": ("image/png", "inline"),
    }


def test_a_report_is_shown_in_a_frame_of_ours_without_scripts(
    client: TestClient, bench: Workbench
) -> None:
    entry = bench.queue.submit("tools.fsc", {"map_1": "a.mrc", "map_2": "b.mrc"})
    assert client.get("/files/report", params={"job": 1}).status_code == 404
    folder = bench.project.absolute(entry.folder)
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<h1>report</h1>")
    answer = client.get("/files/report", params={"job": 1})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert client.get("/files/report", params={"job": 9}).status_code == 404


def test_a_report_that_is_a_link_out_is_not_followed(
    client: TestClient, bench: Workbench, tmp_path: Path
) -> None:
    entry = bench.queue.submit("tools.fsc", {"map_1": "a.mrc", "map_2": "b.mrc"})
    folder = bench.project.absolute(entry.folder)
    folder.mkdir(parents=True)
    (tmp_path / "secret.html").write_text("secret")
    (folder / "report.html").symlink_to(tmp_path / "secret.html")
    assert client.get("/files/report", params={"job": 1}).status_code == 403
