"""Plots as a browser draws them: values under the cursor, keys, zoom, files that hold the same."""

import csv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SETUP = """
import {{ drawCurves }} from "/static/js/plots/curves.js";
window.plot = drawCurves(document.getElementById("plot"), {spec});
document.title = "ready";
"""
FSC = """{
  title: "Half maps <1> & 2", x: {label: "resolution", unit: "Å", scale: "resolution"},
  y: {label: "correlation", range: [-0.05, 1.05]},
  series: [{name: "a", x: [0, 0.1, 0.2, 0.3], y: [1, 0.9, 0.4, 0.05]},
           {name: "b", x: [0, 0.1, 0.2, 0.3], y: [1, null, 0.3, 0.02]}],
  marks: [{y: 0.143, label: "0.143"}]}"""
LOSS = """{title: "loss", x: {label: "step", isWhole: true}, y: {label: "loss"},
  series: [{name: "loss", x: [...Array(200).keys()],
            y: [...Array(200).keys()].map((i) => 5 - i / 50)}],
  switches: ["log", "smooth"]}"""


def plot(show, spec):
    return show('<div id="plot"></div>', SETUP.format(spec=spec))


def download(page, kind):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"as {kind}").click()
    return waiting.value


def test_every_file_holds_what_the_plot_shows(show, tmp_path):
    page = plot(show, FSC)
    table = download(page, "CSV")
    assert table.suggested_filename == "half-maps-1-2.csv"
    table.save_as(tmp_path / "a.csv")
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows[0] == ["resolution (Å)", "a", "b"]
    assert rows[2] == ["0.1", "0.9", ""]
    download(page, "SVG").save_as(tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    texts = [each.text for each in ElementTree.fromstring(text).iter() if each.text]
    assert {"Half maps <1> & 2", "resolution (Å)", "correlation", "0.143", "a", "b"} <= set(texts)
    download(page, "PNG").save_as(tmp_path / "a.png")
    assert Path(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_plot_is_told_in_one_sentence_and_read_by_keys(show):
    page = plot(show, LOSS)
    canvas = page.get_by_role("img")
    assert canvas.get_attribute("aria-label") == "loss. loss: last 1.02, lowest 1.02, highest 5."
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.plot-place').textContent !== 'last'")
    assert "step 198" in page.locator(".plot-readout").inner_text()


def test_zoom_is_kept_by_updates_and_ends_with_escape(show):
    page = plot(show, LOSS)
    box = page.locator(".u-over").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=3)
    page.mouse.up()
    assert page.get_by_text("Whole range").is_visible()
    page.evaluate("window.plot.update(window.plot.spec)")
    assert page.get_by_text("Whole range").is_visible()
    page.locator(".plot-canvas").focus()
    page.keyboard.press("Escape")
    assert page.get_by_text("Whole range").is_hidden()


def test_switches_say_their_state(show):
    page = plot(show, LOSS)
    switch = page.get_by_role("button", name="Logarithmic axis")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true"


def test_many_lines_have_a_legend_that_hides_them(show):
    series = ", ".join(f'{{name: "t{i}", x: [1, 2], y: [{i}, {i + 1}]}}' for i in range(7))
    page = plot(show, f'{{title: "t", x: {{label: "step"}}, series: [{series}]}}')
    key = page.get_by_role("button", name="Show or hide t3")
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    assert page.locator(".plot-legend button").count() == 7


def test_values_that_are_no_numbers_draw_nothing_and_break_nothing(show):
    empty = '{title: "t", series: [{name: "a", x: [1, 2], y: [null, NaN]}]}'
    page = plot(show, empty)
    assert page.get_by_text("No values yet").is_visible()
    page.evaluate("""window.plot.update({title: "t", isLog: true, switches: ["log"], series: [
      {name: "a", x: [1, 2, 3], y: [-1, 0, Infinity]}, {name: "b", x: [2], y: [5]}]})""")
    assert page.locator("canvas").count() == 1


def test_the_theme_changes_the_lines(show):
    page = plot(show, LOSS)
    colour = "getComputedStyle(document.querySelector('.plot-swatch')).borderTopColor"
    light = page.evaluate(colour)
    page.evaluate("""document.documentElement.dataset.theme = "dark";
      document.dispatchEvent(new CustomEvent("themechange"))""")
    assert page.evaluate(colour) != light


def test_metrics_grow_and_forget_what_a_resumed_run_did_again(show):
    page = show(
        "",
        """
        import { Metrics, grouped, thinned } from "/static/js/plots/metrics.js";
        const metrics = new Metrics(1);
        metrics.add("loss", { step: [1, 2, 3], value: [3, 2, 1] });
        metrics.add("loss", { step: [2, 4], value: [9, 8] });
        const long = { name: "l", x: [...Array(9000).keys()], y: Array(9000).fill(1) };
        long.y[4321] = 77;
        window.found = {
          x: metrics.series.get("loss").x, y: metrics.series.get("loss").y,
          groups: grouped(["learning_rate", "score", "loss", "val_loss", "gradient_norm"])
            .map((group) => group.family),
          kept: Math.max(...thinned(long).y), count: thinned(long).x.length };
        document.title = "ready";
        """,
    )
    assert page.evaluate("window.found") == {
        "x": [1, 2, 4],
        "y": [3, 9, 8],
        "groups": ["loss", "score", "gradient_norm", "learning_rate"],
        "kept": 77,
        "count": page.evaluate("window.found.count"),
    }
    assert page.evaluate("window.found.count") <= 4000


def test_ticks_are_round_and_resolutions_are_read_in_angstrom(show):
    page = show(
        "",
        """
        import { format, linearTicks, logTicks, resolutionTicks }
          from "/static/js/plots/numbers.js";
        window.found = {
          linear: linearTicks(0, 10, 5), log: logTicks(0.1, 100, 6),
          resolution: resolutionTicks(0, 0.25, 1, 0.1).map((x) => Math.round(10 / x) / 10),
          texts: [0, 1e-7, 0.12345, 1234567, null, 12].map((x) => format(x)) };
        document.title = "ready";
        """,
    )
    found = page.evaluate("window.found")
    assert found["linear"] == [0, 2, 4, 6, 8, 10]
    assert found["log"] == [0.1, 1, 10, 100]
    assert found["resolution"][-1] == 4
    assert found["texts"] == ["0", "1e-7", "0.1235", "1.23e6", "–", "12"]


def test_a_small_curve_says_its_last_value(show):
    page = show(
        '<div id="s"></div>',
        """
        import { sparkline } from "/static/js/plots/sparkline.js";
        sparkline(document.getElementById("s"), [3, null, 1, 2], "loss");
        document.title = "ready";
        """,
    )
    assert page.get_by_role("img").get_attribute("aria-label") == "loss: last 2, lowest 1"
