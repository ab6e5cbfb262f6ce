"""Pictures of a search: the best so far never falls, and the most important is on top."""

import numpy as np

from icelens.core.plots.search import search_history, setting_importances


def test_the_best_so_far_passes_over_pruned_trials():
    figure = search_history([0, 1, 2, 4], [0.3, 0.2, 0.9, 0.5], [False, False, True, False])
    best, finished, pruned = figure.axes[0].lines
    np.testing.assert_allclose(best.get_ydata(), [0.3, 0.3, 0.3, 0.5])
    np.testing.assert_allclose(finished.get_xdata(), [0, 1, 4])
    np.testing.assert_allclose(pruned.get_xydata(), [[2, 0.9]])


def test_pruned_trials_alone_have_no_best():
    figure = search_history([0], [0.1], [True])
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels == ["finished", "pruned"]
    figure.canvas.draw()


def test_the_most_important_setting_is_on_top():
    figure = setting_importances({"noise": 0.1, "rate": 0.7, "width": 0.2})
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["noise", "width", "rate"]
    many = setting_importances({str(number): 1 / 40 for number in range(40)})
    assert len(many.axes[0].patches) == 15
