"""Particles chosen in the latent explorer by a lasso, by words, and saved as STAR."""

import re
from collections.abc import Callable

import pytest
from browser.person import Person, press
from browser.served import Served
from playwright.sync_api import Page, expect

from icelens.core.io.relion_particles import read_relion_particles

pytestmark = pytest.mark.browser


def explorer(person: Person) -> Page:
    page = person.open("/view/latents?run=linear")
    expect(page.get_by_text("Reading latents").locator("visible=true")).to_have_count(0)
    return page


def lasso(page: Page, share: float) -> None:
    """Round the left part of the plot."""
    press(page, "Lasso")
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = box["x"] + share * box["width"], box["y"] + box["height"] - 2
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 4)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def test_a_lasso_is_saved_as_star_and_read_back(
    states: Served, meet: Callable[..., Person]
) -> None:
    page = explorer(meet(states))
    lasso(page, 0.5)
    count = page.get_by_text(re.compile(r"^\d+ of 300 \("))
    expect(count).to_be_visible()
    chosen = int(count.inner_text().split()[0])
    assert 0 < chosen < 300
    page.get_by_role("textbox", name="Name of the selection").fill("left half")
    press(page, "Save as STAR")
    expect(page.get_by_text("Saved selections/left half.star").first).to_be_visible()
    read = read_relion_particles(states.folder / "selections" / "left half.star")
    assert len(read.particles) == chosen


def test_conditions_add_and_undo(states: Served, meet: Callable[..., Person]) -> None:
    person = meet(states)
    person.expected = {422}
    page = explorer(person)
    where = page.get_by_role("textbox", name="Condition")
    where.fill("latent_1 > 0")
    page.get_by_role("button", name="Select", exact=True).click()
    count = page.get_by_text(re.compile(r"^\d+ of 300 \("))
    expect(count).to_be_visible()
    above = int(count.inner_text().split()[0])
    press(page, "Invert")
    expect(page.get_by_text(re.compile(rf"^{300 - above} of 300"))).to_be_visible()
    press(page, "Undo")
    expect(page.get_by_text(re.compile(rf"^{above} of 300"))).to_be_visible()
    where.fill("no_such_column > 0")
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="no_such_column")).to_be_visible()


def test_a_click_makes_the_volume_there(states: Served, meet: Callable[..., Person]) -> None:
    page = explorer(meet(states))
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("textbox", name="Name of the volume")).to_be_visible()
    press(page, "Save as MRC")
    expect(page.get_by_text(re.compile("^Saved .*state.*mrc"))).to_be_visible()


def test_particle_images_are_shown_and_sorted(states: Served, meet: Callable[..., Person]) -> None:
    page = meet(states).open("/view/particles?file=states/particles.star")
    expect(page.get_by_text("300 particles").or_(page.get_by_text("of 300")).first).to_be_visible()
    press(page, "Next")
    expect(page.get_by_role("img", name=re.compile("Distribution of views"))).to_be_visible()
