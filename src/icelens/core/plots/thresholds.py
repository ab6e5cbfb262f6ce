"""F-beta over the threshold that picks must reach, and the threshold where it is greatest."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from icelens.core.metrics.precision_recall import PrecisionRecall, f_beta
from icelens.core.plots.style import COLOURS, GRID, house_style, new_figure

_LINES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


def f_beta_curves(
    curves: Mapping[str, PrecisionRecall], thresholds: Mapping[str, float], *, beta: float
) -> Figure:
    """Draw F-beta of each class over the least score that counts, and mark what was chosen.

    Args:
        curves: Of each class, by name.
        thresholds: Chosen score of each class, where there is one.
        beta: How much more recall counts than precision.
    """
    with house_style():
        figure = new_figure(7.2, 3.6)
        axes = figure.add_subplot()
        looks = cycle([(colour, line) for line in _LINES for colour in COLOURS])
        for (name, curve), (colour, line) in zip(curves.items(), looks, strict=False):
            pairs = zip(curve.precision.tolist(), curve.recall.tolist(), strict=True)
            values = np.array([f_beta(precision, recall, beta) for precision, recall in pairs])
            # between two scores, the picks from the upper one on are kept
            axes.step(
                curve.threshold, values, where="post", color=colour, linestyle=line, label=name
            )
            chosen = thresholds.get(name)
            if chosen is not None and len(values):
                nearest = int(np.argmin(np.abs(curve.threshold - chosen)))
                axes.plot([chosen], values[nearest : nearest + 1], "o", color=colour)
        axes.grid(visible=True, color=GRID)
        axes.set(xlabel="least score of a pick", ylabel=f"F{beta:g}", ylim=(0.0, 1.02))
        if curves:
            figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure
