"""Attacks on a server that really listens: those who never finish, who all come at once."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from web_project import add_jobs

from icelens.apps.web import live as live_module
from icelens.apps.web.access import Access
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import Workbench


@pytest.fixture
def served(bench: Workbench) -> Iterator[Access]:
    """A server in a thread."""
    add_jobs(bench.project)
    listening = socket.create_server(("127.0.0.1", 0))
    access = Access(listening.getsockname()[1])
    app = create_app(bench, access, dispatches=False)
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="websockets-sansio",
                            timeout_graceful_shutdown=1, proxy_headers=False)  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield access
    server.should_exit = True
    thread.join(20)
    listening.close()


def status_of(access: Access, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", access.port, timeout=20)
    with contextlib.closing(connection):
        given = {"Authorization": f"Bearer {access.token}", **headers}
        connection.request("GET", path, headers=given)
        return connection.getresponse().status


def test_those_who_never_finish_keep_nobody_from_being_answered(served: Access) -> None:
    heads = (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1", b"POST /api/jobs HTTP/1.1\r\n",
             b"PUT /api/uploads/x.mrc HTTP/1.1\r\nContent-Length: 99999\r\n\r\nabc")  # fmt: skip
    with contextlib.ExitStack() as stack:
        for number in range(60):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            half.sendall(heads[number % len(heads)])
        assert status_of(served, "/api/jobs") == 200


def test_all_who_come_at_once_are_answered(served: Access) -> None:
    with ThreadPoolExecutor(40) as many:
        paths = ["/api/jobs", "/api/project", "/api/files", "/help"] * 25
        assert set(many.map(lambda path: status_of(served, path), paths)) == {200}


def test_a_second_host_is_refused_whatever_parses_it(served: Access) -> None:
    request = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nHost: evil.example\r\n"
        f"Authorization: Bearer {served.token}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(request.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_an_upload_that_is_cut_off_leaves_nothing(served: Access, bench: Workbench) -> None:
    request = (
        f"PUT /api/uploads/x.mrc HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Authorization: Bearer {served.token}\r\nContent-Length: 1000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(request.encode() + bytes(5000))
    for _ in range(100):
        status_of(served, "/api/project")
        left = list((bench.project.folder / "uploads").glob("*"))
        if not left:
            break
        time.sleep(0.02)
    assert not left


def test_only_so_many_may_listen(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "MOST_LISTENERS", 2)
    with client.websocket_connect("/live"), client.websocket_connect("/live"):
        with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/live"):
            pass
        assert refused.value.code == 1013
    with client.websocket_connect("/live"):
        pass


def test_a_listener_that_is_slow_costs_no_more_than_its_queue() -> None:
    live = live_module.Live()
    queue = live.join()
    for number in range(1000):
        live._deliver({"revision": number})
    assert queue.qsize() == queue.maxsize == 100
