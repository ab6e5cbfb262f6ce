"""A form names all that is missing at once, keeps what was typed, and says what a job costs."""

from collections.abc import Callable

import pytest
from browser.person import Person, field_of, fill, press
from browser.served import Served
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_all_that_is_missing_or_wrong_is_named_at_once_at_its_field(
    empty: Served, meet: Callable[..., Person]
) -> None:
    person = meet(empty)
    person.expected = {422}
    page = person.open("/jobs/new?job=restore.predict")
    fill(page, Tile_size="many")
    press(page, "Queue")
    told = page.get_by_role("heading", name="3 things are missing or wrong")
    expect(told).to_be_visible()
    for label in ("STAR file", "Checkpoint", "Tile size"):
        box = field_of(page, label)
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".field", has=box).get_by_role("alert")).not_to_be_empty()
    expect(field_of(page, "STAR file")).to_be_focused()
    assert empty.queue.entries() == []


def test_a_problem_goes_when_its_field_is_mended(
    empty: Served, meet: Callable[..., Person]
) -> None:
    person = meet(empty)
    person.expected = {422}
    page = person.open("/jobs/new?job=tools.fsc")
    press(page, "Queue")
    expect(page.get_by_role("heading", name="2 things are missing or wrong")).to_be_visible()
    first = page.locator("[aria-invalid=true]").first
    first.fill("a.mrc")
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)


def test_what_was_typed_survives_closing_the_page(
    empty: Served, meet: Callable[..., Person]
) -> None:
    person = meet(empty)
    page = person.open("/jobs/new?job=restore.refine")
    fill(page, Epochs="7")
    page.wait_for_timeout(600)  # the draft is kept shortly after the last key
    page.close()
    again = person.open("/jobs/new?job=restore.refine")
    expect(field_of(again, "Epochs")).to_have_value("7")
    press(again, "Discard")
    expect(field_of(again, "Epochs")).to_have_value("")


def test_a_path_outside_the_roots_is_refused_at_its_field(
    empty: Served, meet: Callable[..., Person]
) -> None:
    person = meet(empty)
    person.expected = {403, 422}
    page = person.open("/jobs/new?job=restore.refine")
    fill(page, STAR_file="/etc/passwd")
    press(page, "Queue")
    box = field_of(page, "STAR file")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".field", has=box).get_by_role("alert")).to_be_visible()
    assert empty.queue.entries() == []


def test_a_draft_is_kept_in_the_project_and_queued_later(
    empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty).open("/jobs/new?job=simulate.tomograms")
    fill(page, Shape="16,32,32", Count="1", Particles="2", Species="1")
    press(page, "Save draft")
    page.wait_for_url("**/jobs/1")
    assert empty.job(1).state == "draft"
    page.get_by_role("link", name="Edit").click()
    expect(field_of(page, "Shape")).to_have_value("16,32,32")
    press(page, "Queue")
    page.wait_for_url("**/jobs/1")
    assert empty.job(1).state in ("queued", "running", "done")
