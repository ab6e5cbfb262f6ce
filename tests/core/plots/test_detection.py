"""Curves and histograms show each class with its figure, and those without a pick."""

import numpy as np

from icelens.core.metrics.precision_recall import precision_recall
from icelens.core.plots.detection import error_histograms, precision_recall_curves

SCORE = np.array([0.9, 0.8, 0.6])
CURVE = precision_recall(SCORE, np.array([True, False, True]), 2)
EMPTY = precision_recall(np.empty(0), np.empty(0, bool), 2)


def test_curve_ends_where_all_picks_are_kept():
    axes = precision_recall_curves({"ribosome": CURVE}).axes[0]
    line, dot = axes.lines
    np.testing.assert_allclose(line.get_xydata()[-1], [1.0, 2 / 3])
    np.testing.assert_allclose(dot.get_xydata(), [[1.0, 2 / 3]])
    assert line.get_label() == "ribosome, AP 0.833"


def test_every_class_has_a_look_of_its_own():
    curves = {str(number): CURVE for number in range(15)}
    axes = precision_recall_curves(curves).axes[0]
    looks = {(line.get_color(), line.get_linestyle(), line._unscaled_dash_pattern) for line in
             axes.lines if line.get_marker() == "None"}  # fmt: skip
    assert len(looks) == 15


def test_classes_without_picks_are_named():
    figure = precision_recall_curves({"ribosome": EMPTY})
    figure.canvas.draw()
    assert figure.legends[0].get_texts()[0].get_text() == "ribosome, AP 0.000"
    assert precision_recall_curves({}).legends == []


def test_histogram_counts_all_pairs_up_to_the_distance():
    figure = error_histograms(
        {"a": np.array([3.0, 4.0, 30.0]), "b": np.empty(0)}, {"a": 30, "b": 9}
    )
    first, second = figure.axes
    assert sum(bar.get_height() for bar in first.patches) == 3
    assert first.get_xlim() == (0.0, 30.0)
    assert first.texts[0].get_text() == "RMS 17.6 Å"
    assert second.texts[0].get_text() == "no pairs"
