"""All can be reached by keys: a new job to the queue, lists, dialogs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import worlds
from browser.person import Person, number_on
from browser.served import Served
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_job_is_made_and_queued_with_the_keyboard_alone(
    empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty).open("/")
    keys = page.keyboard
    keys.press("n")
    page.wait_for_url("**/jobs/new")
    search = page.get_by_role("searchbox", name="Search what jobs do")
    for _ in range(20):
        keys.press("Tab")
        if search.evaluate("(each) => each === document.activeElement"):
            break
    keys.type("simulate.tomograms")
    keys.press("Tab")
    expect(page.get_by_role("link", name="tomograms")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**job=simulate.tomograms")
    shape = page.get_by_label("Shape", exact=True)
    for _ in range(60):
        keys.press("Tab")
        if shape.evaluate("(each) => each === document.activeElement"):
            break
    keys.type("16,32,32")
    keys.press("Control+Enter")
    assert number_on(page) == 1
    assert list(empty.job(1).settings["shape"]) == [16, 32, 32]


def test_j_and_k_go_through_the_list_x_selects_and_enter_opens(
    serve: Callable[..., Served], meet: Callable[..., Person], tmp_path: Path
) -> None:
    served = serve(worlds.many_jobs(tmp_path / "three", 3))
    page = meet(served).open("/jobs?view=table")
    keys = page.keyboard
    rows = page.get_by_role("row").filter(has=page.get_by_role("link", name="tomogram"))
    keys.press("j")
    keys.press("j")
    expect(rows.nth(1)).to_be_focused()
    keys.press("k")
    expect(rows.nth(0)).to_be_focused()
    keys.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    keys.press("j")
    keys.press("Shift+X")
    expect(page.get_by_text("2 selected")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_text("2 selected")).to_be_hidden()
    keys.press("Enter")
    page.wait_for_url("**/jobs/*")


def test_escape_closes_dialogs_and_the_focus_comes_back(
    empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty).open("/help")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.goto(f"{empty.base}/jobs/new?job=restore.refine")
    choose = page.get_by_role("button", name="Choose star file")
    choose.press("Enter")
    picker = page.get_by_role("dialog", name="STAR file")
    expect(picker).to_be_visible()
    page.keyboard.press("Escape")
    expect(picker).to_have_count(0)
    expect(choose).to_be_focused()


def test_the_focus_is_seen_and_the_first_tab_offers_the_content(
    empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty).open("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_a_slash_leads_to_the_search(empty: Served, meet: Callable[..., Person]) -> None:
    page = meet(empty).open("/help")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search jobs")).to_be_focused()
    page.keyboard.type("refine")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs?text=refine")
