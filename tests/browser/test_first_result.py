"""From an empty folder to a restored tomogram, by clicking only."""

import re
from collections.abc import Callable

import pytest
from browser.person import Person, field_of, fill, queue_form, state_on
from browser.served import Served
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_from_an_empty_folder_to_a_restored_tomogram(
    empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty).open("/")
    expect(page.get_by_role("button", name="Use the demo data")).to_be_visible()
    simulate(page)
    list_tomograms(page)
    train(page)
    restore(page)
    look(page)
    assert {entry.state for entry in empty.queue.entries()} == {"done"}


def simulate(page: Page) -> None:
    page.get_by_role("link", name="Data").click()
    page.get_by_role("link", name="Simulate some").click()
    fill(page, Shape="32,64,64", Count="2", Pixel_size="10", Output="simulated")
    expect(page.get_by_text("icelens simulate tomograms")).to_contain_text("--shape 32,64,64")
    queue_form(page)
    state_on(page, "done")


def list_tomograms(page: Page) -> None:
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("link", name="List the tomograms").click()
    # filled in from the simulation
    expect(field_of(page, "Even")).to_have_value("simulated/even")
    expect(field_of(page, "Odd")).to_have_value("simulated/odd")
    fill(page, STAR_file="tomograms.star", Pixel_size="10", Defocus="35000", Subtomograms="4")
    queue_form(page)
    state_on(page, "done")


def train(page: Page) -> None:
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("link", name="New job").click()
    page.get_by_role("link", name=re.compile("^refine")).first.click()
    page.get_by_role("button", name="Choose star file").click()
    dialog = page.get_by_role("dialog")
    # two lists: the simulation's own, and that of the tomograms with a number of boxes
    dialog.get_by_text("tomograms.star").first.wait_for()
    dialog.get_by_role("textbox", name="Path").fill("tomograms.star")
    dialog.get_by_role("button", name="Choose", exact=True).click()
    expect(field_of(page, "STAR file")).to_have_value("tomograms.star")
    fill(page, Network="unet-small", Box_size="32", Epochs="2", Batch_size="2")
    cost = page.get_by_role("complementary", name="What it will cost")
    expect(cost.get_by_text(re.compile("about .* (s|min)"))).to_be_visible()
    expect(cost.get_by_text("Memory")).to_be_visible()
    queue_form(page)
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=90_000)
    curves = page.get_by_role("region", name="Curves")
    expect(curves.get_by_role("img").first).to_be_visible(timeout=120_000)
    state_on(page, "done")


def restore(page: Page) -> None:
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("link", name="Restore the tomograms").click()
    expect(field_of(page, "STAR file")).to_have_value("tomograms.star")
    expect(field_of(page, "Checkpoint")).not_to_have_value("")
    page.get_by_text("Expert settings").click()
    field_of(page, "Turned copies").select_option("1")
    queue_form(page)
    state_on(page, "done")
    expect(page.get_by_role("img", name="TS 01 slices")).to_be_visible()


def look(page: Page) -> None:
    """The restored tomogram beside the raw one."""
    page.get_by_role("listitem").filter(has_text="TS_01.mrc").get_by_role(
        "link", name="Slices"
    ).click()
    fill(page, Add_a_volume="simulated/full/TS_01.mrc")
    page.get_by_role("button", name="Add", exact=True).click()
    volumes = page.get_by_role("region", name="Volumes")
    expect(volumes.get_by_role("listitem")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    planes = page.locator("canvas:visible")
    expect(planes.first).to_be_visible()
    for each in planes.all():
        assert is_drawn(each), "a plane without a picture"


def is_drawn(canvas: "object") -> bool:
    """Whether a canvas shows more than one grey."""
    script = """(canvas) => {
      const small = document.createElement("canvas");
      small.width = small.height = 32;
      const context = small.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0, 32, 32);
      const { data } = context.getImageData(0, 0, 32, 32);
      return new Set(data.filter((_, i) => i % 4 === 0)).size > 4;
    }"""
    return bool(canvas.evaluate(script))  # type: ignore[attr-defined]
