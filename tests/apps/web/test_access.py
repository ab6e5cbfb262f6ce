"""Tests of apps/web/access.py: each attack it is there for."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from icelens.apps.web import access as access_module
from icelens.apps.web.access import Access, Gate
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import Workbench

HOST = "127.0.0.1:8642"
OURS = {"Origin": f"http://{HOST}"}


@pytest.fixture
def stranger(bench: Workbench, access: Access) -> Iterator[TestClient]:
    """Someone who has no cookie."""
    with TestClient(create_app(bench, access, dispatches=False), base_url=f"http://{HOST}") as made:
        yield made


@pytest.fixture
def gate(access: Access) -> TestClient:
    """The gate before an app that says what reached it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        await PlainTextResponse(f"{scope['method']} {len(body)}")(scope, receive, send)

    client = TestClient(Gate(app, access), base_url=f"http://{HOST}")
    client.cookies.set(access.cookie, access.token)
    return client


@pytest.mark.parametrize("path", ["/", "/api/openapi.json", "/static/css/base.css", "/nowhere"])
def test_nothing_is_shown_without_the_token(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 401


@pytest.mark.parametrize("token", ["", "wrong", "ünïcode", "a" * 10_000])
def test_wrong_tokens_open_nothing(stranger: TestClient, access: Access, token: str) -> None:
    assert stranger.get("/enter", params={"token": token}).status_code == 401
    header = {"Authorization": f"Bearer {token}".encode()}
    assert stranger.get("/", headers=header).status_code == 401
    cookie = f"{access.cookie}={token}".encode()
    assert stranger.get("/", headers={"Cookie": cookie}).status_code == 401


def test_the_link_leaves_a_cookie_that_scripts_and_foreign_pages_cannot_use(
    stranger: TestClient, access: Access
) -> None:
    answer = stranger.get(access.link("127.0.0.1"))
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert access.token not in answer.text
    assert stranger.get("/").status_code == 200


def test_each_start_has_a_token_of_its_own() -> None:
    assert Access(1).token != Access(1).token
    assert len(Access(1).token) >= 43  # 256 bits
    assert Access(1).token not in repr(Access(1))


def test_servers_on_two_ports_do_not_share_a_cookie() -> None:
    assert Access(1).cookie != Access(2).cookie


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:80", "", "2130706433:8642",
     "127.0.0.1:8642.evil.example", "localhost.evil.example:8642"],
)  # fmt: skip
def test_a_foreign_name_for_our_address_is_refused(gate: TestClient, host: str) -> None:
    assert gate.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8642", "http://127.0.0.1:8643",
     "http://localhost:8642", "http://127.0.0.1:8642.evil.example", "", None],
)  # fmt: skip
def test_a_foreign_page_changes_nothing_in_the_users_name(
    gate: TestClient, method: str, origin: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert gate.request(method, "/api/jobs", headers=headers).status_code == 403


def test_our_own_pages_and_programs_with_the_token_change_things(
    gate: TestClient, access: Access
) -> None:
    assert gate.post("/api/jobs", headers=OURS).text == "POST 0"
    gate.cookies.clear()
    bearer = {"Authorization": f"Bearer {access.token}"}
    assert gate.post("/api/jobs", headers=bearer).text == "POST 0"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_a_foreign_page_cannot_listen(client: TestClient, origin: str | None) -> None:
    client.headers.pop("Origin")
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live", headers=headers):
        pass


def test_a_stranger_cannot_listen(stranger: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("/live", headers=OURS):
        pass


def test_looking_only_admits_questions_but_no_changes(bench: Workbench) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("reached")(scope, receive, send)

    access = Access(8642, is_read_only=True)
    client = TestClient(Gate(app, access), base_url=f"http://{HOST}", headers=OURS)
    client.cookies.set(access.cookie, access.token)
    assert client.get("/").text == "reached"
    assert client.post("/api/ask/check").text == "reached"
    for path in ("/api/jobs", "/api/ask/../jobs", "/api/askance"):
        assert client.post(path).status_code == 403


def test_a_request_that_is_too_large_is_refused_before_and_while_it_comes(
    gate: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "MOST_BYTES", 1000)
    assert gate.post("/api/jobs", headers=OURS, content=b"x" * 1000).text == "POST 1000"
    assert gate.post("/api/jobs", headers=OURS, content=b"x" * 1001).status_code == 413
    pieces = (b"x" * 400 for _ in range(3))  # sent without a length
    assert gate.post("/api/jobs", headers=OURS, content=pieces).status_code == 413
    wrong = {**OURS, "Content-Length": "-5"}
    assert gate.post("/api/jobs", headers=wrong).status_code == 413


def test_every_answer_has_strict_headers_even_a_refusal(stranger: TestClient) -> None:
    answer = stranger.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_an_answer_may_have_a_policy_of_its_own(access: Access) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        await Response("", headers=headers)(scope, receive, send)

    client = TestClient(Gate(app, access), base_url=f"http://{HOST}")
    client.cookies.set(access.cookie, access.token)
    policies = client.get("/").headers.get_list("content-security-policy")
    assert policies == ["default-src 'none'; sandbox"]


def test_no_other_site_is_told_it_may_read(client: TestClient) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (client.get("/", headers=headers), client.options("/", headers=headers)):
        assert "access-control-allow-origin" not in answer.headers
