"""The picture of the lineage under the hand: keys, size, what belongs together, saved as it is."""

import xml.etree.ElementTree as ElementTree

from icelens.apps.web.lineage_picture import picture_of
from icelens.apps.web.pages import environment
from icelens.jobs.project.lineage import Lineage, Link, Node

PAGE = """
import { svgFile } from "/static/js/plots/svg_file.js";
import { ViewBox } from "/static/js/plots/view_box.js";
const svg = document.querySelector("svg");
window.view = new ViewBox(svg);
window.file = () => svgFile(svg);
document.title = "ready";
"""
GRAPH = Lineage(
    tuple(Node(key, f"{key}.star") for key in ("file:a", "file:b", "file:c")),
    (Link("file:a", "file:b", ("x & y.mrc",)), Link("file:b", "file:c")),
)


def drawn(show):
    template = environment().get_template("lineage_picture.html")
    return show(template.render(picture=picture_of(GRAPH), focus=None, num_jobs=0), PAGE)


def test_keys_change_the_size_and_show_all(show):
    page = drawn(show)
    page.locator("svg").focus()
    before = page.evaluate("window.view.scale")
    page.keyboard.press("+")
    assert page.evaluate("window.view.scale") > before
    page.keyboard.press("0")
    assert page.evaluate("window.view.scale") <= 1


def test_dragging_moves_the_picture(show):
    page = drawn(show)
    x = page.evaluate("window.view.x")
    page.mouse.move(300, 200)
    page.mouse.down()
    page.mouse.move(200, 200, steps=4)
    page.mouse.up()
    assert page.evaluate("window.view.x") > x


def test_the_saved_picture_is_whole_light_and_needs_no_style_sheet(show):
    page = drawn(show)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    root = ElementTree.fromstring(page.evaluate("window.file()"))
    lines = [each for each in root.iter() if each.get("class") == "line"]
    texts = {each.text for each in root.iter() if each.text and each.text.strip()}
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert all(line.get("stroke", "none").startswith("rgb") for line in lines)
    assert {"file:a.star", "x & y.mrc"} <= texts
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
