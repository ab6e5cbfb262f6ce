"""The workbench in a browser: first page, what 20 open pages cost, the end of a long log."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.command import CommandError
from bench.figure import Figure
from icelens.jobs.project import changes
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue
from icelens.jobs.record import now

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PAGES = ("/", "/jobs", "/jobs/1", "/data", "/lineage")
LOG_BYTES = 100 * 2**20


def measure(*, quick: bool) -> list[Figure]:
    """Needs Chromium and the tests' packages."""
    if not Path(CHROMIUM).exists():
        raise CommandError(f"{CHROMIUM} is absent; make test-browser installs it")
    folder = Path(tempfile.mkdtemp(prefix="icelens-pages-"))
    server: subprocess.Popen[str] | None = None
    try:
        project = create_project(folder / "project")
        _fill(project)
        server, link = _serve(project)
        return [*_browse(server.pid, link, seconds=5 if quick else 30), _log(link)]
    finally:
        if server is not None:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(project: Project) -> None:
    """Thirty jobs that are done, one of which has a long log."""
    queue = Queue(project)
    for _ in range(30):
        number = queue.submit("simulate.tomograms", {}, is_draft=True).number
        with project.connection(is_write=True) as connection:
            ended = {"state": "done", "started": now(), "ended": now()}
            changes.update(connection, number, ended)
    folder = project.absolute(queue.get(1).folder)
    folder.mkdir(parents=True)
    line = f"{now()} INFO    a line of the log like any other\n"
    (folder / "log.txt").write_text(line * (LOG_BYTES // len(line)))


def _serve(project: Project) -> "tuple[subprocess.Popen[str], str]":
    command = [
        sys.executable,
        "-m",
        "icelens.apps.cli",
        "serve",
        str(project.folder),
        "--port",
        "0",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None, "a pipe"
    for line in server.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return server, found.group()
    raise CommandError("the server ended before it printed its link")


def _browse(pid: int, link: str, *, seconds: int) -> list[Figure]:
    from playwright.sync_api import sync_playwright

    base = link.partition("/enter")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        context = browser.new_context()
        page = context.new_page()
        started = time.monotonic()
        page.goto(link)
        page.wait_for_url(f"{base}/")
        page.wait_for_load_state("load")
        first = time.monotonic() - started
        page.goto(f"{base}/")
        timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        again = page.evaluate(timing) / 1000.0
        pages = [context.new_page() for _ in range(19)]
        for number, each in enumerate(pages):
            each.goto(base + PAGES[number % len(PAGES)])
        time.sleep(3)
        before = _cpu(pid)
        time.sleep(seconds)
        spent = (_cpu(pid) - before) / seconds
        resident = _resident(pid)
        browser.close()
    return [
        Figure("first page of the workbench, from the link", first, "s", "", "<= 1"),
        Figure("the same page again", again, "s"),
        Figure("memory of the server with 20 open pages", resident / 2**20, "MiB", "", "<= 150"),
        Figure("CPU of the server with 20 open pages", 100.0 * spent, "%", "", "<= 1"),
    ]


def _log(link: str) -> Figure:
    """The end of a log of 100 MB, asked of the API."""
    token = link.partition("token=")[2]
    base = link.partition("/enter")[0]
    request = urllib.request.Request(
        f"{base}/api/jobs/1/log", headers={"Authorization": f"Bearer {token}"}
    )
    started = time.monotonic()
    with urllib.request.urlopen(request) as answer:
        content: dict[str, Any] = json.loads(answer.read())
    assert content, "the log has lines"
    return Figure("end of a log of 100 MB", 1000.0 * (time.monotonic() - started), "ms")


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found, "Linux says it"
    return int(found.group(1)) * 1024
