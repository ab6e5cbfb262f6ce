"""A browser that shows pages of ours under our content policy, without a server behind it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import icelens.apps.web
from icelens.apps.web.access import POLICY

WEB = Path(icelens.apps.web.__file__).parent
ORIGIN = "http://workbench.test"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHEETS = ("vendor/uplot/uPlot.min.css", "css/tokens.css", "css/plots.css", "css/lineage.css")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here; install it to test what pages draw")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def show(browser):
    """Open a page with a body and a module of its own; complaints of the browser end the test."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))

    def open_page(body: str, module: str) -> object:
        links = "".join(f'<link rel="stylesheet" href="/static/{sheet}">' for sheet in SHEETS)
        text = (
            f'<!doctype html><html lang="en" data-theme="light"><head><title>t</title>{links}'
            f'<script type="module" src="/own.js"></script></head><body>{body}</body></html>'
        )

        def answer(route):
            name = route.request.url.removeprefix(ORIGIN).partition("?")[0]
            own = {"/": text, "/own.js": module}.get(name)
            headers = {"Content-Security-Policy": POLICY}
            if own is not None:
                kind = TYPES[".js" if name.endswith(".js") else ".html"]
                route.fulfill(body=own, content_type=kind, headers=headers)
            elif name.startswith("/static/") and (WEB / name[1:]).is_file():
                kind = TYPES.get(Path(name).suffix, "application/octet-stream")
                route.fulfill(path=WEB / name[1:], content_type=kind, headers=headers)
            else:
                route.fulfill(status=204, body="")

        page.route("**/*", answer)
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("document.title === 'ready'")
        return page

    yield open_page
    context.close()
    assert complaints == []
