"""Lists with nothing, three and ten thousand jobs, long names, and names that are code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import worlds
from browser.fits import CUT, TOO_WIDE, WIDTHS
from browser.person import Person, press
from browser.served import Served
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
NAMED_PAGES = (
    "/jobs?view=board", "/jobs?view=table", "/jobs/1", "/lineage", "/compare",
    "/compare?jobs=1&jobs=2", "/", "/jobs/new?clone=1", "/jobs/new?draft=2",
)  # fmt: skip
LONG = "a_tomogram_of_the_third_lamella_of_the_second_grid_" * 4


def test_ten_thousand_jobs_are_paged_filtered_and_searched(
    serve: Callable[..., Served], meet: Callable[..., Person], tmp_path: Path
) -> None:
    served = serve(worlds.many_jobs(tmp_path / "many", 10_000))
    page = meet(served).open("/jobs?view=table")
    rows = page.locator("tbody tr")
    expect(page.get_by_text("1 to 100 of 10\u2009000")).to_be_visible()
    expect(rows).to_have_count(100)
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**offset=100")  # and until its scripts have run
    expect(page.get_by_text("101 to 200 of 10\u2009000")).to_be_visible()
    page.get_by_role("searchbox", name="Text").fill("tomogram 9999")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox", name="Text").fill("no such job")
    expect(page.get_by_text("No job fits this filter")).to_be_visible()
    page.goto(f"{served.base}/jobs?view=board")
    expect(page.get_by_role("link", name="as a table").first).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not page.evaluate(TOO_WIDE)
    page.goto(f"{served.base}/")
    expect(page.get_by_text("All 3\u2009333 that failed")).to_be_visible()


@pytest.mark.parametrize("title", [HOSTILE, LONG[:200]], ids=["code", "long"])
def test_a_name_is_shown_as_it_is_and_breaks_no_page(
    title: str, serve: Callable[..., Served], meet: Callable[..., Person], tmp_path: Path
) -> None:
    served = serve(tmp_path / "project")
    for number in range(3):
        worlds.submit(served.queue, worlds.SIMULATE, title=f"{title}{number}"[-200:], is_draft=True)
    page = meet(served).open("/jobs")
    for path in NAMED_PAGES:
        page.goto(served.base + path)
        assert page.title() != "taken"
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not page.evaluate(TOO_WIDE), path
            assert not page.evaluate(CUT), path
    page.goto(f"{served.base}/jobs/1")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{title}0"[-200:])


def test_jobs_go_to_the_trash_come_back_and_are_deleted_for_good(
    serve: Callable[..., Served], meet: Callable[..., Person], tmp_path: Path
) -> None:
    served = serve(worlds.many_jobs(tmp_path / "three", 3))
    page = meet(served).open("/jobs?view=table")
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    press(page, "Remove")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    page.goto(f"{served.base}/jobs?trash=1")
    page.get_by_role("button", name="Put back").first.click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.reload()
    press(page, "Empty the trash")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Delete 2 jobs and all their files")).to_be_visible()
    page.keyboard.press("Escape")
    press(page, "Empty the trash")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    assert len(served.queue.entries()) == 1
