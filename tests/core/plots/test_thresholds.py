"""F-beta over the threshold, with a dot where picks are cut."""

import numpy as np

from icelens.core.metrics.precision_recall import f_beta, precision_recall
from icelens.core.plots.thresholds import f_beta_curves

CURVE = precision_recall(np.array([0.9, 0.8, 0.6]), np.array([True, False, True]), 2)
EMPTY = precision_recall(np.empty(0), np.empty(0, bool), 2)


def test_the_dot_lies_on_the_curve():
    figure = f_beta_curves({"ball": CURVE}, {"ball": 0.6}, beta=4.0)
    line, dot = figure.axes[0].lines
    np.testing.assert_allclose(line.get_xdata(), CURVE.threshold)
    np.testing.assert_allclose(dot.get_xydata(), [[0.6, f_beta(2 / 3, 1.0, 4.0)]])
    assert figure.axes[0].get_ylabel() == "F4"


def test_classes_without_picks_or_thresholds_are_named():
    figure = f_beta_curves({"ball": CURVE, "bead": EMPTY}, {"bead": 0.5}, beta=1.0)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ball", "bead"]
    figure.canvas.draw()
    assert f_beta_curves({}, {}, beta=4.0).legends == []
