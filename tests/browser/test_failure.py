"""A failed job says why and what to do; resumed or cloned, it comes to an end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import worlds
from browser.person import Person, field_of, fill, press, queue_form, state_on
from browser.served import Served
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_failed_job_is_understood_and_resumed(
    restored: Served, meet: Callable[..., Person]
) -> None:
    star = restored.folder / "tomograms.star"
    away = star.rename(star.with_name("away.star"))
    page = meet(restored).open("/jobs/new?job=restore.deconvolve")
    fill(page, STAR_file="tomograms.star")
    queue_form(page)
    state_on(page, "failed")
    trouble = page.get_by_role("alert").filter(
        has=page.get_by_role("heading", name="Why it failed")
    )
    expect(trouble).to_contain_text("tomograms.star: no such STAR file")
    expect(trouble).to_contain_text("Check the path")
    expect(trouble.get_by_role("heading", name="Last lines")).to_be_visible()
    away.rename(star)
    trouble.get_by_role("button", name="Resume").click()
    state_on(page, "done")
    expect(trouble).to_have_count(0)
    expect(page.get_by_text("attempt 2")).to_be_visible()


def test_a_failed_job_is_cloned_with_what_was_wrong_changed(
    restored: Served, meet: Callable[..., Person]
) -> None:
    failed = worlds.submit(restored.queue, "restore deconvolve --star missing.star")
    page = meet(restored).open("/")
    expect(page.get_by_role("heading", name="Failed")).to_be_visible(timeout=120_000)
    page.get_by_role("link", name=f"J{failed.number} restore deconvolve").click()
    page.get_by_role("link", name="Clone and change").click()
    expect(field_of(page, "STAR file")).to_have_value("missing.star")
    fill(page, STAR_file="tomograms.star")
    number = queue_form(page)
    assert number != failed.number
    state_on(page, "done")


def test_a_job_is_stopped_and_the_page_says_so(
    restored: Served, meet: Callable[..., Person]
) -> None:
    entry = worlds.submit(
        restored.queue, worlds.REFINE.replace("--epochs 2", "--epochs 500") + " --overwrite"
    )
    page = meet(restored).open(f"/jobs/{entry.number}")
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=120_000)
    press(page, "Stop")
    state_on(page, "stopped")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_a_folder_deleted_by_hand_is_said_not_hidden(
    restored: Served, meet: Callable[..., Person]
) -> None:
    for each in (restored.folder / "corrected").glob("*"):
        each.unlink()
    page = meet(restored).open("/jobs/4")
    expect(page.get_by_text("gone").first).to_be_visible()
    assert not Path(restored.folder / "corrected" / "TS_01.mrc").exists()
