"""Picks corrected by hand over slices, saved as a new session, and read back."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser.person import Person, fill, press
from browser.served import Served
from playwright.sync_api import Page, expect
from small_project import CURATION, RIBOSOMES, small_project

from icelens.core.data.pickable import Source
from icelens.core.io.copick.project import PicksKey, open_project

pytestmark = pytest.mark.browser
SAVED = Source("person", "1")


@pytest.fixture
def picked(serve: Callable[..., Served], tmp_path: Path) -> Served:
    folder = tmp_path / "project"
    folder.mkdir()
    small_project(folder)
    return serve(folder)


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("canvas:visible").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_picks_are_moved_added_and_deleted_and_saved_as_a_new_session(
    picked: Served, meet: Callable[..., Person]
) -> None:
    page = meet(picked).open("/view/picks?project=project.json")
    press(page, "xy")
    chosen = page.get_by_text(re.compile(r"^(ribosome|apoferritin), x \d+"))
    press(page, "Next")
    expect(chosen).to_be_visible()
    move_to_the_right(page)
    expect(page.get_by_text("1 moved")).to_be_visible()
    add_to_the_left(page)
    expect(page.get_by_text("1 added, 1 moved")).to_be_visible()
    press(page, "Next")
    page.keyboard.press("Delete")
    expect(page.get_by_text("1 added, 1 moved, 1 deleted")).to_be_visible()
    save(page)

    project = open_project(picked.folder / "project.json")
    kept = {
        key.name: project.read_picks("TS_1", key)
        for key in project.picks("TS_1")
        if key.source == SAVED
    }
    assert sum(len(each.position_zyx) for each in kept.values()) == 5
    before = project.read_picks("TS_1", PicksKey("ribosome", CURATION))
    np.testing.assert_allclose(before.position_zyx, RIBOSOMES)


def move_to_the_right(page: Page) -> None:
    """The view is centred on the chosen pick."""
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()


def add_to_the_left(page: Page) -> None:
    press(page, "Add")
    x, y = middle(page)
    page.mouse.click(x - 150, y)
    press(page, "Choose")


def save(page: Page) -> None:
    press(page, "Save as new…")
    dialog = page.get_by_role("dialog", name="Save picks as new")
    fill(page, User="person", Session="1")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("picks as person,1").first).to_be_visible()
    # the page goes on with what was saved
    picks = page.get_by_role("combobox", name="Picks", exact=True)
    expect(picks.locator("option:checked")).to_contain_text("person")


def test_edits_come_back_after_the_page_was_closed(
    picked: Served, meet: Callable[..., Person]
) -> None:
    person = meet(picked)
    page = person.open("/view/picks?project=project.json")
    press(page, "Next")
    page.keyboard.press("Delete")
    expect(page.get_by_text("1 deleted")).to_be_visible()
    page.close()
    again = person.open("/view/picks?project=project.json")
    expect(again.get_by_text("1 unsaved edits are back")).to_be_visible()
    expect(again.get_by_text("1 deleted")).to_be_visible()
    press(again, "Undo")
    expect(again.get_by_text("no edits")).to_be_visible()
