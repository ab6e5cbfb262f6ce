"""Tests of jobs/project/notices.py, with a real server that listens."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs.project.notices import NOTIFY_NAME, Notice, NotifyConfig, read_notify, send
from icelens.jobs.project.project import Project

NOTICE = Notice("J7", 'a "title"; rm -rf', "restore.mask", "failed", "x: is empty", "p")


@pytest.fixture
def heard() -> Iterator[tuple[str, list[dict[str, str]]]]:
    told: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            del words

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    server.server_close()


def test_a_webhook_hears_what_ended_and_why(
    heard: tuple[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    send(NotifyConfig(webhook=heard[0]), NOTICE, tmp_path)
    assert heard[1][0]["name"] == "J7"
    assert heard[1][0]["text"] == 'J7 a "title"; rm -rf (p) is failed: x: is empty'


def test_a_command_gets_words_and_no_shell_reads_them(tmp_path: Path) -> None:
    program = "import sys; open('told', 'w').write(sys.argv[1] + '|' + sys.stdin.read())"
    command = ("python3", "-c", program, "{name} {state}: {title}")
    send(NotifyConfig(command=command), NOTICE, tmp_path)
    first, _, text = (tmp_path / "told").read_text().partition("|")
    assert first == 'J7 failed: a "title"; rm -rf'
    assert text == NOTICE.text


def test_who_does_not_answer_does_no_harm(tmp_path: Path) -> None:
    send(
        NotifyConfig(webhook="http://127.0.0.1:9/", command=("no-such-program",)), NOTICE, tmp_path
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("webhook: file:///etc/passwd", "webhook"),
        ("command: mail me", "command"),
        ("hook: x", "hook"),
        ("states: [lost]", "states"),
        ("{", "YAML"),
    ],
)
def test_mistakes_in_the_file_are_named(project: Project, text: str, message: str) -> None:
    (project.folder / NOTIFY_NAME).write_text(text)
    with pytest.raises(InputFileError, match=message):
        read_notify(project)


def test_without_a_file_nobody_is_told(project: Project) -> None:
    assert read_notify(project) == NotifyConfig()
