"""A hostile project is opened: every page and question answers, soon, and nothing in it acts."""

import signal
from collections.abc import Iterator

import pytest
from apps.web.inline_work import work_inline
from hostile_project import ENDINGS, SCRIPT, fill_hostile, release_pipes
from starlette.testclient import TestClient

from icelens.jobs.project.project import Project

SECONDS = 60
PAGES = (
    "/", "/jobs", "/jobs?view=table", "/data", "/lineage", "/lineage?is_piece=true", "/compare",
    "/view", "/view/slices", "/view/particles", "/view/latents", "/view/curves", "/view/picks",
    "/view/surface", "/help", "/help/api", "/projects", "/fragments/home", "/fragments/lanes",
    "/fragments/jobs", "/jobs/new", "/jobs/new?job=restore.refine", "/api/jobs", "/api/data",
    "/api/files", "/api/files?kind=particles,stack,volume", "/api/curves/files", "/api/lineage",
    "/api/lanes", "/api/results?kind=particles,stack,volume,tomograms", "/api/project",
    "/api/presets/restore.refine",
)  # fmt: skip
OF_A_JOB = (
    "/jobs/{0}", "/fragments/jobs/{0}", "/api/jobs/{0}", "/api/jobs/{0}/metrics",
    "/api/jobs/{0}/sparkline", "/api/jobs/{0}/log", "/api/jobs/{0}/log?stream=out",
    "/api/jobs/{0}/log/search?text=a", "/api/jobs/{0}/log/file",
    "/api/jobs/{0}/log/file?stream=err", "/files/report?job={0}", "/api/glances?numbers={0}",
    "/lineage?job={0}", "/api/lineage?job={0}",
    "/compare?jobs=1&jobs={0}", "/api/compare?jobs=1,{0}", "/jobs/new?clone={0}",
    "/fragments/jobs/some?numbers={0}", "/api/results?job={0}", "/api/curves/files",
)  # fmt: skip
OF_A_FILE = (
    "/api/files/about", "/files/raw", "/files/thumbnail", "/api/curves", "/api/curves/readings",
    "/api/data/tomograms", "/api/data/particles", "/api/particles", "/api/particles/views",
    "/api/particles/montage", "/api/volumes/header", "/api/surface/facts", "/api/surface/mesh",
    "/view/open",
)  # fmt: skip


@pytest.fixture
def numbers(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[int]]:
    """Jobs of the hostile project; whoever waits for ever is interrupted."""
    work_inline(monkeypatch)
    found = fill_hostile(project)

    def interrupt(*_: object) -> None:
        release_pipes(project.folder)
        raise TimeoutError(f"no answer within {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(SECONDS)
    yield found
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def wrong(client: TestClient, url: str, **params: str) -> list[str]:
    """What is wrong with an answer."""
    answer = client.get(url, params=params or None, follow_redirects=False)
    found = []
    if answer.status_code >= 500:
        found.append(f"{url} {params}: {answer.status_code}")
    if answer.headers.get("content-type", "").startswith("text/html") and "report" not in url:
        found += [f"{url}: holds a script of the project"] if SCRIPT in answer.text else []
    if "root:x:0" in answer.text:
        found.append(f"{url} {params}: shows a file outside the roots")
    return found


def test_every_page_answers(client: TestClient, numbers: list[int]) -> None:
    assert not [line for url in PAGES for line in wrong(client, url)]


def test_every_job_answers(client: TestClient, numbers: list[int]) -> None:
    urls = [url.format(number) for number in numbers for url in OF_A_JOB]
    assert not [line for url in urls for line in wrong(client, url)]


@pytest.mark.parametrize("kind", ["pipe", "dangling", "loop", "outside", "folder"])
def test_every_file_answers(client: TestClient, numbers: list[int], kind: str) -> None:
    files = [f"{kind}{ending}" for ending in ENDINGS]
    assert not [
        line for file in files for url in OF_A_FILE for line in wrong(client, url, file=file)
    ]
