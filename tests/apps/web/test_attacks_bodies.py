"""Attacks in what is sent and searched: odd JSON, texts that would be commands, expressions."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from web_project import add_jobs

from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue

JSON = {"Content-Type": "application/json"}
BODIES = (
    b'{"job": "restore.refine", "values": {}, "priority": NaN}',
    b'{"job": "restore.refine", "variables": {"a": NaN, "b": 1e999}, "is_draft": true}',
    b'{"job": "restore.refine", "values": {}, "priority": 1' + b"0" * 5000 + b"}",
    b'{"job": "restore.refine", "variables": {"a": 1' + b"0" * 4000 + b'}, "is_draft": true}',
    b'{"job": "restore.refine", "job": "x", "values": {}, "is_draft": true, "is_draft": false}',
    b'{"job": "restore.refine", "title": "\\ud800", "is_draft": true}',
    b'{"job": "restore.refine", "variables": {"\\udfff": "\\ud800"}, "is_draft": true}',
    b'{"job": "restore.refine", "values": {"\\ud800": "x"}, "is_draft": true}',
    b'{"job": "restore.refine", "values": {"star": "\\ud800"}, "is_draft": true}',
    b'{"job": "restore.refine", "title": "\\u0000", "is_draft": true}',
    b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{}", b"", b"null", b"[]", b'"x"', b"{", b"\x00",
    b'{"job": {"$gt": ""}}', b'{"__proto__": {"x": 1}, "job": "restore.refine"}',
)  # fmt: skip
SEARCHES = (
    "'", "' OR 1=1 --", "%", "_", "\\", "%' ESCAPE '", '"; DROP TABLE jobs; --', "\0", "\ufffe",
    "\U0001f9ca" * 50,
)  # fmt: skip
EXPRESSIONS = (
    "__import__('os').system('touch pwned')", "().__class__.__bases__[0]", "row.__class__",
    "9**9**9", "(lambda: 1)()", "[x for x in row]", "row if row else row", "f'{row}'", "row := 1",
    "open('x')", "row << 999999999", "'a' * 999999999", "abs(row, row)", "contains(row, row)",
    "(" * 500 + ")" * 500, "1e999999 < row", "9" * 9000 + " < row", "not " * 2400 + "row",
    "-" * 5000 + "row < 1", "row < 1 and " * 800 + "row < 1", "row < " * 1500 + "1", "\0",
    "row # < 1", "row\n< 1", "...",
)  # fmt: skip


def test_odd_json_is_refused_or_harmless(client: TestClient, project: Project) -> None:
    add_jobs(project)
    for body in BODIES:
        for method, url in (("POST", "/api/jobs"), ("POST", "/api/ask/check"),
                            ("PUT", "/api/jobs/5"), ("POST", "/api/jobs/1/clone"),
                            ("PATCH", "/api/jobs/1"),
                            ("PUT", "/api/presets/restore.refine/x")):  # fmt: skip
            status = client.request(method, url, content=body, headers=JSON).status_code
            assert status < 500, (url, body[:80])
    for url in ("/api/jobs", "/jobs", "/jobs?view=table", "/lineage"):
        assert client.get(url).status_code == 200


@pytest.mark.parametrize(
    "changes",
    ['{"a": NaN}', '{"\\ud800": "\\udfff"}', '{"a": "\\ud800"}', '{"a": 1e999}',
     '{"a": 1' + "0" * 5000 + "}"],
    ids=range(5),
)  # fmt: skip
def test_odd_changes_of_a_copy_are_refused_or_harmless(
    client: TestClient, project: Project, changes: str
) -> None:
    add_jobs(project)
    content = f'{{"changes": {changes}}}'.encode()
    answer = client.post("/api/jobs/1/clone", content=content, headers=JSON)
    assert answer.status_code < 500
    number = answer.json().get("number", 1)
    for url in (f"/api/jobs/{number}", f"/jobs/{number}", "/api/jobs", f"/jobs/new?draft={number}"):
        assert client.get(url).status_code < 500


def test_searches_are_text_and_nothing_else(client: TestClient, project: Project) -> None:
    add_jobs(project)
    for text in SEARCHES:
        for name in ("text", "task", "numbers", "sort", "state"):
            for url in ("/api/jobs", "/jobs", "/fragments/jobs"):
                assert client.get(url, params={name: text}).status_code in (200, 422)
        assert client.get("/api/jobs", params={"text": text}).json()["total"] == 0
    assert client.get("/api/jobs").json()["total"] == 5


def test_titles_carry_nothing_that_a_terminal_acts_on(project: Project) -> None:
    title = "a\x1b[31m\r\nJ9 done\u202egnp\x07\x9b2J \u2028b"
    entry = Queue(project).submit("restore.refine", {}, title=title, is_draft=True)
    assert entry.title.isprintable()
    assert Queue(project).edit(entry.number, title=title).title == entry.title


def test_expressions_are_read_and_never_run(client: TestClient, filled: Project) -> None:
    for url, values in (("/api/latents/where", {"run": "run"}),
                        ("/api/particles/views", {"file": "images/particles.star"}),
                        ("/api/particles/montage", {"file": "images/particles.star"})):  # fmt: skip
        for where in EXPRESSIONS:
            status = client.get(url, params={**values, "where": where}).status_code
            assert status in (200, 422), (url, where[:60])
    assert not (filled.folder / "pwned").exists()


def test_every_operation_is_described_and_every_answer_bounded(client: TestClient) -> None:
    """Every number that says how much is wanted has a largest value, every text a longest."""
    document = client.get("/api/openapi.json").json()
    for url, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, url)
            assert {"401", "403", "404", "422"} <= operation["responses"].keys(), (method, url)
            for parameter in operation.get("parameters", ()):
                assert _is_bounded(parameter["schema"]), (method, url, parameter["name"])


def _is_bounded(part: dict[str, Any]) -> bool:
    if "anyOf" in part:
        return all(_is_bounded(each) for each in part["anyOf"])
    kind = part.get("type")
    if part.keys() & {"enum", "const", "$ref"} or kind in ("boolean", "null"):
        return True
    if kind in ("integer", "number"):
        has_most = part.keys() & {"maximum", "exclusiveMaximum"}
        return bool(has_most and part.keys() & {"minimum", "exclusiveMinimum"})
    return _is_bounded(part["items"]) if kind == "array" else "maxLength" in part
