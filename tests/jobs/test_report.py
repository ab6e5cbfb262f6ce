"""The report is one file that opens anywhere."""

from pathlib import Path

import pytest

from icelens.core.plots.curves import loss_curve
from icelens.jobs.report import Report, duration, write_page


def test_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    report = Report()
    report.figure(loss_curve({"loss": ([0, 1], [1.0, 0.5])}), name="loss", caption='A "curve"')
    write_page(tmp_path / "page.html", "<title>", report.parts)
    text = (tmp_path / "page.html").read_text()
    assert "http" not in text
    assert "data:image/png;base64," in text
    assert "alt='A &quot;curve&quot;'" in text
    assert "<h1>&lt;title&gt;</h1>" in text


def test_numbers_are_aligned_and_short() -> None:
    report = Report()
    report.table(["name", "value"], [["a", 0.123456], ["b", 3], ["c", True]])
    assert "<td class='number'>0.1235</td>" in report.parts[0]
    assert "<td>True</td>" in report.parts[0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.71, "1.7 s"), (42, "42 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")],
)
def test_times_have_the_digits_they_deserve(seconds: float, text: str) -> None:
    assert duration(seconds) == text
