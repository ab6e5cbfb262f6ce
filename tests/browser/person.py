"""Somebody at a browser: pages that fail the test at any error, and what people do on them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from browser.served import Served
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 40_000
"""How long a page may take on a machine that does much else."""
_QUIET = re.compile(r"GPU stall due to ReadPixels|GL Driver Message|software WebGL|WebGL")
"""Said by the software renderer of a machine without a screen, not by our pages."""
_REFUSED = re.compile(r"Failed to load resource: .*status of (\d+)")


@dataclass
class Person:
    """A browser of one's own: cookies, storage and pages.

    Attributes:
        troubles: Errors of pages, breaches of the content policy, requests that left the machine.
        expected: Statuses that the test provokes, such as 422 for a form that is not whole.
    """

    context: BrowserContext
    served: Served
    troubles: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    is_away: bool = False
    """While the server is down, failed requests are no trouble."""

    def open(self, path: str = "/") -> Page:
        """A new page at a path."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        self.go(page, path)
        return page

    def go(self, page: Page, path: str) -> None:
        page.goto(self.served.base + path, wait_until="load")

    def enter(self) -> None:
        """Follow the link that the server printed."""
        page = self.context.new_page()
        page.goto(self.served.link, timeout=PATIENCE_MS)
        page.close()

    def watch(self) -> None:
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.troubles.append(str(error.error)))
        self.context.on("request", self._on_request)
        self.context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        text = message.text
        refused = _REFUSED.search(text)
        is_expected = refused is not None and int(refused.group(1)) in self.expected
        if message.location.get("url", "").endswith("/favicon.ico"):
            return  # asked for beside plain text, which names no icon
        is_ours = message.type in ("error", "warning") and not _QUIET.search(text)
        if is_ours and not is_expected and not self.is_away:
            self.troubles.append(f"{message.type}: {text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"left the machine: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.troubles.append(f"{response.status} {response.request.method} {response.url}")


@contextmanager
def somebody(browser: Browser, served: Served, **options: object) -> Iterator[Person]:
    """A person who has followed the link; troubles fail the test at the end."""
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **options}  # type: ignore[arg-type]
    )
    person = Person(context, served)
    person.watch()
    try:
        person.enter()
        yield person
    finally:
        context.close()
    assert not person.troubles, "\n".join(person.troubles)


def field_of(page: Page, label: str) -> Locator:
    """The input that a label of a form names."""
    return page.get_by_label(re.compile(rf"^{re.escape(label)}( needed)?$"))


def fill(page: Page, **values: str) -> None:
    """Type into fields, named as their labels with `_` for a space."""
    for name, value in values.items():
        field_of(page, name.replace("_", " ")).fill(value)


def press(page: Page, name: str) -> None:
    """Click a button, or a link that looks like one."""
    page.get_by_role("button", name=name, exact=True).click()


def queue_form(page: Page) -> int:
    """Press Queue; the number of the job whose page comes."""
    press(page, "Queue")
    return number_on(page)


def number_on(page: Page) -> int:
    page.wait_for_url(re.compile(r"/jobs/\d+$"), timeout=PATIENCE_MS)
    return int(page.url.rpartition("/")[2])


def state_on(page: Page, state: str, timeout: float = 180_000) -> None:
    """Wait until the head of a job's page says a state; no reload."""
    heading = page.get_by_role("heading", level=1)
    head = page.locator("section", has=heading).first
    expect(head.get_by_text(state, exact=True).first).to_be_visible(timeout=timeout)
