"""Tests of apps/web/routes/uploads.py."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from icelens.apps.web import access


def test_a_dropped_file_lies_in_uploads(client: TestClient, project_folder: Path) -> None:
    answer = client.put("/api/uploads/a b.star", content=b"data_\n")
    assert answer.status_code == 201
    assert answer.json() == {"path": "uploads/a b.star", "name": "a b.star", "size": 6}
    assert (project_folder / "uploads" / "a b.star").read_bytes() == b"data_\n"
    again = client.put("/api/uploads/a b.star", content=b"other")
    assert again.json()["name"] == "a b-2.star"


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fevil.star", "%2e%2e%2fevil.star", "..%5Cevil.star", "evil.sh", ".star"]
)
def test_names_cannot_lead_out(client: TestClient, project_folder: Path, name: str) -> None:
    client.put(f"/api/uploads/{name}", content=b"x")
    assert not list(project_folder.parent.glob("evil*"))
    assert {path.name for path in project_folder.glob("**/*evil*")} <= {"evil.star"}
    for path in project_folder.glob("**/*evil*"):
        assert path.parent == project_folder / "uploads"


def test_too_large_a_body_is_refused_and_leaves_nothing(
    client: TestClient, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_UPLOAD_BYTES", 10)
    assert client.put("/api/uploads/a.star", content=b"x" * 11).status_code == 413
    whole = iter([b"x" * 6, b"x" * 6])
    assert client.put("/api/uploads/a.star", content=whole).status_code == 413
    assert not list(project_folder.glob("uploads/*"))
    assert not list(project_folder.glob("uploads/.*"))


def test_a_folder_of_uploads_that_leads_out_is_refused(
    client: TestClient, project_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (project_folder / "uploads").symlink_to(tmp_path / "out")
    assert client.put("/api/uploads/a.star", content=b"x").status_code == 422
    assert list((tmp_path / "out").iterdir()) == []


def test_foreign_pages_cannot_upload(client: TestClient, project_folder: Path) -> None:
    headers = {"Origin": "http://evil.example"}
    assert client.put("/api/uploads/a.star", content=b"x", headers=headers).status_code == 403
    assert not (project_folder / "uploads").exists()
