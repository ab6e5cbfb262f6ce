"""Every page fits three widths in both themes, and its text can be read."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from browser.fits import CUT, TOO_WIDE, WIDTHS
from browser.person import Person
from browser.served import Served
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EMPTY_PAGES = (
    "/", "/data", "/jobs", "/jobs?view=table", "/jobs?trash=1", "/jobs/new", "/lineage",
    "/compare", "/view", "/view/slices", "/view/picks", "/view/surface", "/view/particles",
    "/view/latents", "/view/curves", "/help", "/help/api", "/projects",
    "/jobs/new?job=restore.refine", "/jobs/new?job=tools.fsc",
)  # fmt: skip
"""Also pages of a project without anything."""
FULL_PAGES = (
    "/", "/data", "/jobs?view=board", "/jobs?view=table", "/lineage", "/view", "/jobs/1",
    "/jobs/3", "/jobs/4", "/jobs/5", "/compare", "/compare?jobs=3&jobs=4",
    "/view/slices?file=simulated/full/TS_01.mrc&file=corrected/TS_01.mrc",
    "/view/picks?picks=simulated/picks/TS_01.star&volume=simulated/full/TS_01.mrc",
    "/view/surface?file=simulated/truth/TS_01.mrc", "/view/curves?file=score/fsc.csv",
    "/jobs/new?clone=3", "/jobs/new?input=tomograms.star&setting=star",
)  # fmt: skip
STATE_PAGES = ("/view/latents?run=linear", "/view/particles?file=states/particles.star")


def settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def look(person: Person, paths: tuple[str, ...]) -> None:
    """Go through pages at each width; all that does not fit is told at once."""
    page = person.open("/help")
    found = []
    for path in paths:
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        person.go(page, path)
        settle(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(60)  # a frame or two for what follows its size by script
            if told := page.evaluate(TOO_WIDE):
                found.append(f"{path} at {width}: {told}")
            found += [f"{path} at {width}: cut: {text}" for text in page.evaluate(CUT)]
    assert not found, "\n".join(found)


def test_pages_of_an_empty_project_fit_all_widths(
    empty: Served, meet: Callable[..., Person]
) -> None:
    look(meet(empty), EMPTY_PAGES)


def test_pages_of_a_restored_project_fit_all_widths(
    restored: Served, meet: Callable[..., Person]
) -> None:
    look(meet(restored, color_scheme="dark"), FULL_PAGES)


def test_pages_of_states_fit_all_widths(states: Served, meet: Callable[..., Person]) -> None:
    look(meet(states), STATE_PAGES)


LUMINANCE = """(names) => {
  const style = getComputedStyle(document.documentElement);
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return Object.fromEntries(names.map((name) => {
    paint.fillStyle = style.getPropertyValue(name).trim();
    paint.fillRect(0, 0, 1, 1);
    const linear = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((each) => each / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return [name, 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]];
  }));
}"""
"""Relative luminance, WCAG 2.2."""
PAIRS = [
    *[(text, ground) for text in ("--text", "--muted", "--accent")
      for ground in ("--ground", "--surface", "--raised")],
    *[(f"--{state}", f"--{state}-soft")
      for state in ("running", "done", "waiting", "failed", "stopped")],
    ("--accent", "--accent-soft"), ("--accent-text", "--accent"), ("--failed", "--surface"),
    ("--canvas-text", "--canvas"),
]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_at_least_4_5(
    theme: str, empty: Served, meet: Callable[..., Person]
) -> None:
    page = meet(empty, color_scheme=theme).open("/help")
    assert page.locator("html").get_attribute("data-theme") == theme
    names = sorted({name for pair in PAIRS for name in pair})
    light = page.evaluate(LUMINANCE, names)
    ratios = {
        (text, ground): (max(light[text], light[ground]) + 0.05)
        / (min(light[text], light[ground]) + 0.05)
        for text, ground in PAIRS
    }
    assert not {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5}


def test_a_chosen_theme_is_kept(empty: Served, meet: Callable[..., Person]) -> None:
    person = meet(empty)
    page = person.open("/")
    page.get_by_role("button", name="Change between dark and light").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    person.go(page, f"/jobs?text={quote('a b')}")
    assert page.locator("html").get_attribute("data-theme") == "dark"
