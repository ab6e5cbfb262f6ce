"""Attacks on what the workbench is asked: paths, headers, bodies, searches, expressions."""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from icelens.apps.web.access import Access
from icelens.apps.web.roots import Roots
from icelens.jobs.project.project import Project

PATHS = (
    "/etc/passwd", "../../../../../../etc/passwd", "a/../../../../../../etc/passwd",
    "/proc/self/environ",
    "file:///etc/passwd", "C:\\Windows\\win.ini", "..\\..\\etc\\passwd", "\\\\host\\share",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "....//....//etc/passwd", "a.mrc\0.png", "\0", "x" * 4000,
    "~root/.bashrc", "link/passwd", "jobs/../../secret", "/dev/zero", "/dev/stdin", "pipe.mrc",
    ".", "./././a.mrc/..", "\u2025/\u2025/etc/passwd", "\u202egpj.mrc", "a.mrc/x", " ", "{{7*7}}",
)  # fmt: skip
PATH_NAMES = {"file", "run", "table", "folder", "project", "picks", "volume", "colour", "input"}
REQUIRED = {"axis": "z", "index": "0", "names": "row", "where": "row < 1", "anchor": "0",
            "way": "pc", "latent": "0", "picks": "x.star", "volume": "a.mrc", "run": "x",
            "project": "picks.json", "file": "a.mrc"}  # fmt: skip
SECRET = "the text of a file outside"


def questions(client: TestClient) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every GET that takes a path: its address, the name of the path, what else it needs."""
    document = client.get("/api/openapi.json").json()
    for url, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if parameter["in"] == "query" and parameter["name"] in PATH_NAMES:
                others = {
                    each["name"]: REQUIRED[each["name"]]
                    for each in operations["get"]["parameters"]
                    if each.get("required") and each["name"] in REQUIRED
                }
                yield url, parameter["name"], others
    for url, name in (("/view/latents", "run"), ("/view/latents", "table"), ("/view/open", "file"),
                      ("/view/particles", "file"), ("/jobs/new", "input")):  # fmt: skip
        yield url, name, {}


def test_no_path_leads_out_hangs_or_breaks_whatever_takes_it(
    client: TestClient, filled: Project
) -> None:
    asked = list(questions(client))
    assert len(asked) > 25
    for url, name, others in asked:
        for path in PATHS:
            answer = client.get(url, params={**others, name: path}, follow_redirects=False)
            assert answer.status_code < 500, (url, name, path)
            assert "root:x:" not in answer.text, (url, name, path)
            assert SECRET not in answer.text, (url, name, path)


IN_BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/project", {"folder": ...}),
    ("PATCH", "/api/data/tomograms", {"file": ..., "column": "defocus", "values": {"1": "1"}}),
    ("POST", "/api/ask/settings", {"job": "restore.refine", "file": ...}),
    ("POST", "/api/picks/files", {"picks": ..., "volume": "a.mrc", "edits": {"version": "x"}}),
    ("POST", "/api/latents/volume", {"run": ..., "latent": [0.0], "name": "x"}),
    ("POST", "/api/latents/volume", {"run": "run", "latent": [0.0, 0.0, 0.0], "name": ...}),
    ("POST", "/api/jobs", {"job": "restore.refine", "values": {"output": ...}}),
]


def test_no_path_in_a_body_leads_out(client: TestClient, filled: Project, tmp_path: Path) -> None:
    known = {filled.folder, tmp_path / "secret", tmp_path / "config"}
    for method, url, body in IN_BODIES:
        for path in PATHS:
            sent = {key: path if value is ... else value for key, value in body.items()}
            if body.get("values") == {"output": ...}:
                sent["values"] = {"output": path}
            answer = client.request(method, url, json=sent)
            assert answer.status_code < 500, (url, path)
            assert "root:x:" not in answer.text, (url, path)
            if url == "/api/project":
                client.post(url, json={"folder": str(filled.folder)})
    assert set(tmp_path.iterdir()) <= known


@pytest.mark.parametrize("name", ["..%2f..%2fx.mrc", "%2e%2e%2fx.mrc", "..%5cx.mrc", "%00.mrc",
                                  "..%252fx.mrc", "a%0d%0ab.mrc"])  # fmt: skip
def test_encoded_slashes_in_addresses_lead_nowhere(
    client: TestClient, project: Project, tmp_path: Path, name: str
) -> None:
    for method, url in (("PUT", f"/api/uploads/{name}"), ("GET", f"/static/{name}"),
                        ("DELETE", f"/api/presets/restore.refine/{name}"),
                        ("GET", f"/static/{name.removesuffix('x.mrc')}app.py")):  # fmt: skip
        answer = client.request(method, url, content=b"x" if method == "PUT" else None)
        assert answer.status_code < 500
        if answer.status_code == 201:
            assert (project.folder / "uploads" / answer.json()["name"]).is_file()
        else:
            assert answer.status_code in (404, 422)
    assert not list(tmp_path.glob("*.mrc"))


@pytest.mark.parametrize("what", ["file", "folder", "pipe"])
def test_what_is_put_in_place_of_a_checked_file_is_not_sent(
    client: TestClient, project: Project, tmp_path: Path, monkeypatch: Any, what: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.txt").write_text(SECRET)
    folder = project.folder / "folder"
    folder.mkdir()
    (folder / "x.txt").write_text("harmless")
    resolve = Roots.resolve

    def swapped(roots: Roots, text: str) -> Path:
        path = resolve(roots, text)
        if what == "folder":
            folder.rename(project.folder / "moved")
            folder.symlink_to(tmp_path / "outside")
        else:
            path.unlink()
            if what == "pipe":
                os.mkfifo(path)
            else:
                path.symlink_to(tmp_path / "outside" / "x.txt")
        return path

    assert client.get("/files/raw", params={"file": "folder/x.txt"}).text == "harmless"
    monkeypatch.setattr("icelens.apps.web.served_file.Roots.resolve", swapped)
    answer = client.get("/files/raw", params={"file": "folder/x.txt"})
    assert answer.status_code == 404
    assert SECRET not in answer.text


def test_names_of_downloads_add_no_header(client: TestClient, project: Project) -> None:
    for name in ('a"; x="b.bin', "a\r\nSet-Cookie: x=1.bin", "\u202e\u00e9.bin", "a;b'c.bin"):
        (project.folder / name).write_bytes(b"x")
        answer = client.get("/files/raw", params={"file": name})
        assert answer.status_code == 200
        said = answer.headers["content-disposition"]
        assert said.startswith("attachment; filename")
        assert "set-cookie" not in answer.headers
        assert '"; x=' not in said


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization"])
def test_headers_that_come_twice_are_refused(client: TestClient, name: str, access: Access) -> None:
    value = {"Host": "127.0.0.1:8642", "Origin": "http://127.0.0.1:8642",
             "Authorization": f"Bearer {access.token}"}[name]  # fmt: skip
    client.headers.pop("Origin")
    twice = [(name, value), (name, "evil.example")]
    request = client.build_request("GET", "/")
    given = [pair for pair in request.headers.raw if pair[0].lower() != name.lower().encode()]
    request.headers = type(request.headers)([*given, *((k.encode(), v.encode()) for k, v in twice)])
    assert client.send(request).status_code == 400


def test_what_a_proxy_would_say_changes_nothing(client: TestClient) -> None:
    answer = client.get("/", headers={"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1:8642"})
    assert answer.status_code == 421
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=e",
    }
    assert "evil.example" not in client.get("/view/open?file=a.mrc", headers=headers).text


def test_a_second_cookie_of_our_name_neither_opens_nor_shuts(
    client: TestClient, access: Access
) -> None:
    client.cookies.clear()
    ours = f"{access.cookie}={access.token}"
    for cookie, status in ((f"{access.cookie}=x; {ours}", 200), (f"{ours}; {access.cookie}=x", 200),
                           (f"{access.cookie}=x; {access.cookie}=y", 401),
                           (f"{access.cookie}=x; " * 2000 + ours, 401)):  # fmt: skip
        assert client.get("/help", headers={"Cookie": cookie}).status_code == status


def test_pickles_are_never_loaded(client: TestClient, filled: Project) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (filled.folder / "pwned",)

    for name in ("x.pkl", "x.cs", "x.mrc", "x.star", "x.csv", "x.pt", "x.safetensors", "x.tif",
                 "run/latents.npz", "run/weights.safetensors"):  # fmt: skip
        (filled.folder / name).write_bytes(pickle.dumps(Evil()))
        for url, key, others in questions(client):
            assert client.get(url, params={**others, key: name}).status_code < 500, (url, name)
    for url in ("/api/latents", "/api/latents/decode?latent=0,0,0"):
        assert client.get(url, params={"run": "run"}).status_code < 500
    assert not (filled.folder / "pwned").exists()
