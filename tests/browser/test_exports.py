"""What pages save as PNG, SVG and CSV is what it says."""

import csv
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.person import Person
from browser.served import Served
from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"


def saved(page: Page, button: Locator, folder: Path) -> Path:
    """Press, and take the file that comes."""
    with page.expect_download() as waiting:
        button.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.reader(stream))


def check_png(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width > 100
    assert height > 100


def check_svg(path: Path) -> ElementTree.Element:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert root.tag == f"{SVG}svg"
    assert not list(root.iter(f"{SVG}script"))
    return root


def test_a_curve_is_saved_as_png_svg_and_csv(
    restored: Served, meet: Callable[..., Person], tmp_path: Path
) -> None:
    page = meet(restored).open("/view/curves?file=score/fsc.csv")

    def button(kind: str) -> Locator:
        return page.get_by_role("button", name=f"Save Fourier shell correlation as {kind}")

    check_png(saved(page, button("PNG"), tmp_path))
    root = check_svg(saved(page, button("SVG"), tmp_path))
    texts = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert "0.143" in texts
    assert "Å" in texts
    table = saved(page, button("CSV"), tmp_path)
    rows = rows_of(table)
    assert len(rows) == len(rows_of(restored.folder / "score" / "fsc.csv"))
    assert all(0.0 <= float(row[0]) <= 0.06 for row in rows[1:])


def test_a_plane_is_saved_as_png_svg_and_csv(
    restored: Served, meet: Callable[..., Person], tmp_path: Path
) -> None:
    page = meet(restored).open("/view/slices?file=simulated/full/TS_01.mrc")
    page.get_by_role("button", name="xy", exact=True).click()
    page.wait_for_load_state("networkidle")

    def button(kind: str) -> Locator:
        return page.get_by_role("button", name=kind, exact=True)

    check_png(saved(page, button("PNG"), tmp_path))
    check_svg(saved(page, button("SVG"), tmp_path))
    rows = rows_of(saved(page, button("CSV"), tmp_path))
    numbers = [row for row in rows if row and _is_number(row[-1])]
    assert len(numbers) >= 64


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_latent_plot_and_the_lineage_are_saved(
    states: Served, meet: Callable[..., Person], tmp_path: Path
) -> None:
    page = meet(states).open("/view/latents?run=linear")
    page.wait_for_load_state("networkidle")
    check_png(saved(page, page.get_by_role("button", name="PNG", exact=True), tmp_path))
    check_svg(saved(page, page.get_by_role("button", name="SVG", exact=True), tmp_path))
    table = saved(page, page.get_by_role("button", name="CSV", exact=True), tmp_path)
    assert len(table.read_text().splitlines()) == 301
    page.goto(f"{states.base}/lineage")
    root = check_svg(saved(page, page.get_by_role("button", name="Save as SVG"), tmp_path))
    assert "hetero linear" in "".join(root.itertext())
    check_png(saved(page, page.get_by_role("button", name="Save as PNG"), tmp_path))
