"""Histograms show every group, also an empty one, on one axis."""

import numpy as np

from icelens.core.plots.histograms import stacked_histograms


def test_groups_are_drawn_on_one_axis_with_counts_and_marks():
    groups = {"ribosome": np.array([0.2, 0.9, 1.5]), "virus": np.empty(0)}
    figure = stacked_histograms(
        groups, label="score", limits=(0.0, 1.0), marks={"ribosome": (0.5,)}
    )
    first, second = figure.axes
    assert first.get_title(loc="left") == "ribosome (3)"
    assert second.get_title(loc="left") == "virus (0)"
    assert sum(patch.get_height() for patch in first.patches) == 3
    assert first.lines[0].get_xdata()[0] == 0.5
    assert second.get_xlabel() == "score"
    assert first.get_xlim() == (0.0, 1.0)
    figure.canvas.draw()
