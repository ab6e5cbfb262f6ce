"""Tests of apps/web/app.py."""

from starlette.testclient import TestClient


def test_home_answers_with_strict_headers(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "a project" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_unknown_pages_say_so_in_the_manner_that_was_asked_for(client: TestClient) -> None:
    assert client.get("/nowhere").status_code == 404
    assert client.get("/api/nowhere").json() == {"error": "Not Found"}


def test_static_files_are_kept_by_browsers_until_they_change(client: TestClient) -> None:
    answer = client.get("/static/css/base.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/css/base.css", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
