"""Debian's Chromium, servers over projects, and people at browsers; skipped without Chromium."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import worlds
from browser.person import FLAGS, PATIENCE_MS, Person, somebody
from browser.served import Served
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What steers browsers; of one module, as its event loop must not meet others."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without a window, a new one each time: one that served long may hang."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is absent; `make test-browser` installs it")
    expect.set_options(timeout=PATIENCE_MS)
    try:
        started = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
    except Error as error:
        pytest.skip(f"chromium does not start here: {error.message.splitlines()[0]}")
    yield started
    started.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve a folder until the test ends."""
    with ExitStack() as stack:

        def start(folder: Path, *flags: str) -> Served:
            served = Served(folder)
            stack.callback(served.stop)
            served.start(*flags)
            return served

        yield start


@pytest.fixture
def meet(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Somebody at a browser of a server."""
    with ExitStack() as stack:
        yield lambda served, **options: stack.enter_context(somebody(browser, served, **options))


@pytest.fixture
def empty(serve: Callable[..., Served], tmp_path: Path) -> Served:
    """A project without anything."""
    return serve(tmp_path / "project")


@pytest.fixture(scope="session")
def restored_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose two tomograms were simulated, listed, and restored by the queue."""
    return worlds.restored(tmp_path_factory.mktemp("restored") / "project")


@pytest.fixture(scope="session")
def states_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with images of two states, and a linear run on them."""
    return worlds.states(tmp_path_factory.mktemp("states") / "project")


@pytest.fixture
def restored(restored_template: Path, serve: Callable[..., Served], tmp_path: Path) -> Served:
    """A copy of the restored project, moved elsewhere, served."""
    return serve(worlds.copied(restored_template, tmp_path / "moved"))


@pytest.fixture
def states(states_template: Path, serve: Callable[..., Served], tmp_path: Path) -> Served:
    return serve(worlds.copied(states_template, tmp_path / "moved"))
