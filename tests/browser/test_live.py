"""What one does, another sees at once; and a server that is killed loses nothing."""

from collections.abc import Callable

import pytest
from browser import worlds
from browser.person import Person, press, state_on
from browser.served import Served
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_two_browsers_on_one_project_see_the_same(
    empty: Served, meet: Callable[..., Person]
) -> None:
    first, second = meet(empty), meet(empty, color_scheme="dark")
    board = second.open("/jobs?view=board")
    expect(
        board.get_by_text("No jobs yet").or_(board.get_by_role("heading", name="Drafts"))
    ).to_be_visible()
    page = first.open("/jobs/new?job=simulate.tomograms")
    page.get_by_label("Title", exact=True).fill("seen by both")
    page.get_by_label("Shape", exact=True).fill("16,32,32")
    press(page, "Save draft")
    card = board.get_by_role("link", name="seen by both")
    expect(card).to_be_visible()
    card.click()
    board.wait_for_url("**/jobs/1")  # and until its scripts have run
    press(board, "Queue")
    state_on(page, "done")
    state_on(board, "done")
    board.get_by_role("button", name="Rename").click()
    box = board.get_by_role("textbox", name="Title")
    box.fill("renamed by the other")
    box.press("Enter")
    expect(page.get_by_role("heading", name="renamed by the other")).to_be_visible()


def test_a_server_killed_in_mid_job_loses_nothing(
    empty: Served, meet: Callable[..., Person]
) -> None:
    worlds.submit(empty.queue, worlds.SIMULATE.replace("--count 2", "--count 6"))
    worlds.submit(empty.queue, worlds.PREPARE, after=(1,))
    person = meet(empty)
    page = person.open("/jobs/1")
    state_on(page, "running")
    old = empty.link
    person.is_away = True
    empty.kill()
    page.close()
    empty.start("--port", old.partition("/enter")[0].rpartition(":")[2])
    assert empty.link != old
    person.enter()
    person.is_away = False
    page = person.open("/jobs/1")
    state_on(page, "done")
    person.go(page, "/jobs/2")
    state_on(page, "done")
    assert [empty.job(number).attempt for number in (1, 2)] == [1, 1]
    person.expected = {401, 403}
    page.goto(old)
    expect(page.get_by_text("this link is of an earlier start")).to_be_visible()
