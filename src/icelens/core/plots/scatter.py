"""Two values of each of many things against each other."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.style import COLOURS, house_style, new_figure, plain_log_axis

_MANY = 2000


def scatter(
    x: npt.ArrayLike, y: npt.ArrayLike, *, xlabel: str, ylabel: str, is_log: bool = False
) -> Figure:
    """Draw a point for each pair, the fainter the more there are.

    Args:
        x: `(point,)`.
        y: `(point,)`, above 0 if `is_log`.
        xlabel: What x is, with its unit.
        ylabel: What y is, with its unit.
        is_log: Whether y has a logarithmic axis.
    """
    with house_style():
        figure = new_figure(6.4, 3.2)
        axes = figure.add_subplot()
        faint = max(0.05, min(0.5, 0.5 * (_MANY / max(np.size(x), 1)) ** 0.5))
        axes.scatter(x, y, s=6, alpha=faint, color=COLOURS[0], linewidths=0)
        if is_log:
            plain_log_axis(axes)
        axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure
